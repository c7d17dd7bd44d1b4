import { useQuery } from '@tanstack/react-query'
import Drawer from 'antd/es/drawer'
import { getContentVulnerability, type PlacedFinding } from '../../../api/images'
import { say, spoken, t, tx } from '../../../i18n'
import { day, percent, sentences } from '../../../lib/format'
import { useNarrow } from '../../../lib/narrow'
import { Fact, Panel, SeverityTag, Time } from '../../../ui/bits'
import { ErrorNote } from '../../../ui/ErrorNote'
import { Place } from '../../../ui/Place'
import { Proofs } from '../../../ui/Proofs'
import { Advice, ratedBy, References, Scores } from '../../vulnerabilities/parts'

/** FindingDetail is one vulnerability of an image: what it is, what to do, and why we believe it, at each of its places. */
export function FindingDetail({ imageID, vulnerability, close }: { imageID: string; vulnerability: string; close(): void }) {
  const narrow = useNarrow()
  const asked = useQuery({ queryKey: ['content', imageID, 'vulnerability', vulnerability], queryFn: () => getContentVulnerability(imageID, vulnerability) })
  const first = asked.data?.[0]
  return (
    <Drawer open onClose={close} size={narrow ? '100%' : 'min(760px, 80vw)'} title={vulnerability} extra={<a href={`/vulnerabilities/${encodeURIComponent(vulnerability)}`}>{t('finding.everywhere')}</a>}>
      {asked.error && <ErrorNote error={asked.error} retry={() => void asked.refetch()} />}
      {first && (
        <div className="stack">
          <div>
            <div className="row wrap">
              <SeverityTag severity={first.severity} />
              {first.kev && <span className="tag critical" title={t('finding.kevHelp')}>KEV</span>}
              <strong lang="en">{first.title}</strong>
            </div>
            {first.severitySource && <p className="muted" style={{ margin: '4px 0 0' }}>{t('finding.ratedBy', { source: ratedBy(first.severitySource) })}</p>}
          </div>
          <Fix findings={asked.data ?? []} />
          {first.details && <Panel title={t('finding.description')}><p lang="en" style={{ margin: 0, whiteSpace: 'pre-line' }}>{first.details}</p></Panel>}
          <Panel title={t('finding.assessment')}>
            <dl className="facts">
              {first.epss && <Fact label="EPSS">{t('finding.epss', { score: percent(first.epss.score), percentile: percent(first.epss.percentile), date: first.epss.date })}</Fact>}
              {first.kev && <Fact label="KEV">{sentences(t('finding.kev', { date: first.kev.dateAdded }), first.kev.ransomware && t('finding.ransomware'))}</Fact>}
              {first.published && <Fact label={t('finding.published')}>{day(first.published)}</Fact>}
              {(first.cwes ?? []).length > 0 && <Fact label={t('finding.weakness')}>{first.cwes?.join(', ')}</Fact>}
              {(first.aliases ?? []).length > 0 && <Fact label={t('finding.aliases')}>{first.aliases?.join(', ')}</Fact>}
            </dl>
            <Scores scores={(first.cvss ?? []).map((c) => ({ ...c, words: (c.meaning ?? []).map((m) => spoken(m).text) }))} />
          </Panel>
          {(asked.data ?? []).map((f) => <OnePlace key={f.rowID} finding={f} />)}
          <References references={first.references ?? []} />
        </div>
      )}
    </Drawer>
  )
}

/** Fix is what ends it, first of all. */
function Fix({ findings }: { findings: PlacedFinding[] }) {
  const lines = [...new Map(findings.map((f) => [`${f.package.name} ${f.package.version}`, f])).values()]
  return (
    <div className={`note ${lines.some((f) => f.fixedVersion) ? 'ok' : 'warn'}`}>
      <div>
        <p><strong>{t('finding.fix')}</strong></p>
        {lines.map((f) => (
          <p key={f.rowID}>
            {f.fixedVersion
              ? t('finding.upgrade', { package: f.package.name, from: f.package.version, to: f.fixedVersion })
              : t('finding.noFix', { package: f.package.name, state: tx('fixState', f.fixState) })}
            {say(f.fixAdvice) && <span className="muted"> <Advice text={say(f.fixAdvice)} /></span>}
          </p>
        ))}
      </div>
    </div>
  )
}

function OnePlace({ finding: f }: { finding: PlacedFinding }) {
  return (
    <Panel title={`${f.package.name} ${f.package.version}`} more={<span className="muted">{t('finding.since')} <Time value={f.since} /></span>}>
      {(f.unimportant || f.suppressed) && <p><span className="tag outline">{f.suppressed || t('finding.unimportant')}</span></p>}
      <Place path={f.package.path} origin={f.package.origin} />
      <Proofs proofs={f.proof ?? []} />
    </Panel>
  )
}
