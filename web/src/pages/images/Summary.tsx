import { useState } from 'react'
import { useLocation } from 'react-router'
import type { AssetRow, Content } from '../../api/images'
import { t, tx } from '../../i18n'
import { bytes, day, number, short } from '../../lib/format'
import { Copyable, Fact, Panel, SeveritySplit, Spoken, Time, totalOf } from '../../ui/bits'
import { detailOf, listOf, nameOf } from './columns'
import type { TabProps } from './ImageDrawer'
import { Reason, statusTone } from './ScanStatus'

const kinds = ['vulnerability', 'malware', 'secret'] as const
const tabOf = { vulnerability: 'vulnerabilities', malware: 'malware', secret: 'secrets' } as const
const tone: Record<string, string> = { complete: 'ok', hashes_only: 'warn', partial: 'warn', unknown: 'unknown', not_yet: 'unknown', skipped: 'outline', unsupported: 'unknown' }

/** Summary is the image's risk and its facts: did each category finish, when, and what was found. */
export function Summary({ row, content }: TabProps) {
  const failure = content.lastScan?.status === 'failed' ? content.lastScan.error : undefined
  return (
    <div className="stack">
      {failure && <div className="note bad"><Reason error={failure} scannedAt={content.scannedAt} /></div>}
      {content.pending > 0 && <div className="note info"><p>{t('detail.pending', { count: content.pending, n: number(content.pending) })}</p></div>}
      <Panel title={t('detail.risk')} more={<span className={`tag ${statusTone[content.status] ?? ''}`}>{tx('status', content.status)}</span>} flush>
        <div className="risk-grid">
          {kinds.map((kind) => <Category key={kind} kind={kind} row={row} content={content} />)}
        </div>
      </Panel>
      <Facts content={content} row={row} />
      {(content.problems ?? []).length > 0 && <Problems content={content} />}
      <Where source="registry" rows={content.assets ?? []} count={content.assetCount} id={content.image.id} />
      <Where source="local" rows={content.local ?? []} count={content.localCount} id={content.image.id} />
    </div>
  )
}

function Category({ kind, row, content }: TabProps & { kind: (typeof kinds)[number] }) {
  const { search } = useLocation()
  const counts = kind === 'vulnerability' ? content.counters.vulnerabilities : kind === 'malware' ? content.counters.malware : content.counters.secrets
  const state = content.categories?.[kind]
  const to = (severity?: string) => {
    const params = new URLSearchParams(search)
    if (severity) params.set('in.severity', severity)
    return detailOf(row, tabOf[kind], params.toString())
  }
  const total = totalOf(counts)
  // What was not looked at has no number: none is not nought.
  const known = total > 0 || !!state && !['unknown', 'not_yet', 'unsupported', 'skipped'].includes(state.state)
  return (
    <div>
      <div className="row"><span className="muted">{tx('category', kind)}</span><span className={`tag ${tone[state?.state ?? 'unknown'] ?? ''}`} style={{ marginLeft: 'auto' }}>{tx('coverage', state?.state ?? 'unknown')}</span></div>
      <div className="figure">{known ? <a href={to()} className={total > 0 ? '' : 'none'}>{number(total)}</a> : <span className="muted">–</span>}</div>
      {known && <SeveritySplit counts={counts} to={to} />}
      {(state?.reasons ?? []).map((r) => <p key={r} className="muted small"><Spoken text={r} /></p>)}
      {state?.at && <p className="muted small">{t('detail.lookedAt')} <Time value={state.at} /></p>}
      {kind === 'vulnerability' && known && (
        <p className="muted small">
          {[
            t('detail.distinct', { n: number(totalOf(content.counters.distinct)) }),
            content.counters.fixable > 0 && t('detail.fixable', { n: number(content.counters.fixable) }),
            content.counters.exploited > 0 && t('detail.exploited', { n: number(content.counters.exploited) }),
          ].filter(Boolean).join(' · ')}
        </p>
      )}
    </div>
  )
}

function Facts({ row, content }: TabProps) {
  const { image } = content
  const distro = image.distro
  return (
    <Panel title={t('detail.facts')}>
      <dl className="facts wide">
        <Fact label={t('images.name')}>{nameOf(row)}</Fact>
        {row.digest && <Fact label={t('images.digest')}><Copyable text={row.digest} /></Fact>}
        {row.imageID && <Fact label={t('images.imageID')}><Copyable text={row.imageID} /></Fact>}
        {row.index && <Fact label={t('detail.index')}><Copyable text={row.index} /></Fact>}
        <Fact label={t('images.size')}>{bytes(image.size || row.size)} · {t('detail.layers', { count: (content.layers ?? []).length })}</Fact>
        <Fact label={t('images.os')}>
          {distro?.name || (distro ? `${distro.id} ${distro.version}` : row.osName) || '–'}{' '}
          {distro?.endOfLife && <span className={`tag ${distro.ended ? 'bad' : 'outline'}`}>{distro.ended ? t('detail.ended', { at: day(distro.endOfLife) }) : t('detail.supported', { at: day(distro.endOfLife) })}</span>}
        </Fact>
        <Fact label={t('images.arch')}>{[image.platform.os, image.platform.architecture, image.platform.variant].filter(Boolean).join('/')}</Fact>
        <Fact label={t('images.created')}><Time value={image.created} /></Fact>
        {image.author && <Fact label={t('detail.author')}>{image.author}</Fact>}
        <Fact label={t('detail.user')}>{image.config.user || t('detail.root')}</Fact>
        {(image.config.entrypoint ?? []).length > 0 && <Fact label="ENTRYPOINT"><code className="mono">{image.config.entrypoint?.join(' ')}</code></Fact>}
        {(image.config.cmd ?? []).length > 0 && <Fact label="CMD"><code className="mono">{image.config.cmd?.join(' ')}</code></Fact>}
        {content.bundle && <Fact label={t('detail.bundle')}><a href="/feeds" className="mono">{short(content.bundle.digest)}</a> · <Time value={content.bundle.built} /></Fact>}
      </dl>
    </Panel>
  )
}

function Problems({ content }: { content: Content }) {
  return (
    <Panel title={t('detail.problems')}>
      <ul style={{ margin: 0, paddingLeft: 18 }}>
        {(content.problems ?? []).map((p, i) => <li key={i}>{[p.path, p.analyzer].filter(Boolean).map((w) => <span key={w} className="mono">{w} · </span>)}<Spoken text={p.message} />{p.remedy && <span className="muted"> <Spoken text={p.remedy} /></span>}</li>)}
      </ul>
    </Panel>
  )
}

const few = 8

/** Where are the rows that share this content, and with it this result. */
function Where({ source, rows, count, id }: { source: 'registry' | 'local'; rows: AssetRow[]; count: number; id?: string }) {
  const [all, setAll] = useState(false)
  if (rows.length === 0) return null
  return (
    <Panel title={source === 'local' ? t('local.where', { count, n: number(count) }) : t('detail.where', { count, n: number(count) })} more={<a href={`${listOf(source)}?imageID=${id}`}>{t('detail.inList')}</a>}>
      <ul className="plain-list">
        {(all ? rows : rows.slice(0, few)).map((r) => (
          <li key={r.id} className="row"><a href={detailOf(r)}>{nameOf(r)}</a><span className="muted">{source === 'local' ? t('local.onHosts', { count: r.hosts, n: number(r.hosts) }) : r.registryName}</span></li>
        ))}
      </ul>
      {!all && rows.length > few && <button type="button" className="plain link" onClick={() => setAll(true)}>{t('detail.showAll', { n: number(rows.length) })}</button>}
    </Panel>
  )
}
