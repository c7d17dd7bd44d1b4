// What pages about one vulnerability share.
import type { Schema } from '../../api/client'
import { spoken, t } from '../../i18n'
import { Copyable, Panel, SeverityTag } from '../../ui/bits'

/** ratedBy is whose severity counts, as the service names it: "cvss 3.1 by NVD". */
export const ratedBy = (source: string | undefined) => (source ? spoken(source).text.replace(/^cvss/, 'CVSS') : '')

export interface ScoreOf {
  version: string
  vector: string
  score: number
  severity: string
  source?: string
  words: string[]
}

export function Scores({ scores }: { scores: ScoreOf[] }) {
  if (scores.length === 0) return null
  return (
    <ul className="plain-list" style={{ marginTop: 8 }}>
      {scores.map((s, i) => (
        <li key={i}>
          <span className="row wrap"><strong className="num">CVSS {s.version} {s.score.toFixed(1)}</strong><SeverityTag severity={s.severity} />{s.source && <span className="muted">{s.source}</span>}<span className="mono muted">{s.vector}</span></span>
          {s.words.length > 0 && <p className="muted small">{s.words.join(' · ')}</p>}
        </li>
      ))}
    </ul>
  )
}

/** Advice is what ends a vulnerability. A command at its end stands on a line of its own, to be copied. */
export function Advice({ text }: { text: string }) {
  const [, what, command] = /^(.+?)[：:]\s?((?:apt-get|apk|yum|dnf|microdnf|zypper|pip|npm|mvn|go|gem|composer|cargo|dotnet|yarn|pnpm|opkg|pacman|tdnf|nuget)\s.+)$/s.exec(text) ?? []
  if (!command) return <>{text}</>
  return <>{what}<div style={{ marginTop: 2 }}><Copyable text={command} /></div></>
}

/** safe: an advisory's links are somebody else's text. */
function safe(url: string): boolean {
  return /^https?:\/\//i.test(url)
}

export function References({ references }: { references: Schema<'Reference'>[] }) {
  if (references.length === 0) return null
  return (
    <Panel title={t('finding.references')}>
      <ul className="plain-list">
        {references.map((r) => (
          <li key={r.url} className="ellipsis">{r.type && <span className="tag outline" style={{ marginRight: 6 }}>{r.type}</span>}{safe(r.url) ? <a href={r.url} target="_blank" rel="noreferrer noopener">{r.url}</a> : r.url}</li>
        ))}
      </ul>
    </Panel>
  )
}
