// The columns of lists of image rows.
import type { AssetRow } from '../../api/images'
import { t, tx } from '../../i18n'
import { bytes, number, short, listed } from '../../lib/format'
import type { Column } from '../../table/columns'
import { Copyable, SeveritySplit, Time, totalOf } from '../../ui/bits'
import { ScanStatus } from './ScanStatus'

/** listOf is the address of the list that a row is in. */
export const listOf = (source: string | undefined) => (source === 'local' ? '/local-images' : '/images')

/** nameOf is what a row is called; one without a tag goes by its digest, or its content. */
export const nameOf = (row: Pick<AssetRow, 'repository' | 'tag' | 'digest' | 'imageID'>) => `${row.repository}:${row.tag || short(row.digest || row.imageID || '')}`

/** detailOf is the address of an image's drawer over its list; the list stays as it is. */
export function detailOf(row: { id: number; source?: string }, tab = '', search = ''): string {
  const query = search.startsWith('?') ? search.slice(1) : search
  return `${listOf(row.source)}/${row.id}${tab ? `/${tab}` : ''}${query ? `?${query}` : ''}`
}

/** withSeverity narrows a tab of the drawer to one severity, beside what the address has already. */
export function withSeverity(search: string, severity?: string): string {
  const params = new URLSearchParams(search)
  for (const name of [...params.keys()]) if (name.startsWith('in.')) params.delete(name)
  if (severity) params.set('in.severity', severity)
  return params.toString()
}

/** Risks are the kinds of risk that an image has, with their numbers; each leads to its findings. */
export function Risks({ row, search = '' }: { row: AssetRow; search?: string }) {
  if (row.risk === 'none') return <span className="tag ok">{tx('risk', 'none')}</span>
  const incomplete = Object.entries(row.incomplete ?? {}).map(([kind, state]) => `${tx('category', kind)}: ${tx('coverage', state)}`)
  if (row.risk === 'unknown') return <span className="tag unknown" title={incomplete.join('\n') || t('images.unknownHelp')}>{tx('risk', 'unknown')}</span>
  const malware = totalOf(row.counters.malware)
  const secrets = totalOf(row.counters.secrets)
  return (
    <span className="row nowrap" style={{ gap: 4 }}>
      {totalOf(row.counters.vulnerabilities) > 0 && <SeveritySplit counts={row.counters.vulnerabilities} to={(severity) => detailOf(row, 'vulnerabilities', withSeverity(search, severity))} />}
      {malware > 0 && <a className="tag critical" href={detailOf(row, 'malware', withSeverity(search))}>{t('images.malwareShort')} {number(malware)}</a>}
      {secrets > 0 && <a className="tag high" href={detailOf(row, 'secrets', withSeverity(search))}>{t('images.secretsShort')} {number(secrets)}</a>}
      {incomplete.length > 0 && <a className="tag unknown" href={detailOf(row, '', withSeverity(search))} title={`${t('images.incomplete')}\n${incomplete.join('\n')}`} aria-label={`${t('images.incomplete')}: ${incomplete.join(', ')}`}>?</a>}
    </span>
  )
}

/** Badges are what a row stands out by, a word where there is room for it, in tables a sign; of which version it is the newest a list tells beside the version. */
export function Badges({ row, newest }: { row: AssetRow; newest?: boolean }) {
  const reasons = (all: string[] | null | undefined) => listed((all ?? []).map((r) => tx('reason', r)))
  return (
    <>
      {row.highPriority && row.highPriority.length > 0 && <Badge tone="bad" sign="!" word={t('images.priorityShort')} title={`${t('images.priority')}${t('common.colon')}${reasons(row.highPriority)}`} />}
      {newest && row.newest && <Badge tone="outline" sign="★" word={t('images.newest')} title={t('images.newest')} />}
      {row.running && <Badge tone="info" sign="▸" word={t('images.running')} title={t('images.running')} />}
      {row.gone && <Badge tone="warn" sign="×" word={t('images.gone')} title={t('images.goneHelp')} />}
    </>
  )
}

function Badge({ tone, sign, word, title }: { tone: string; sign: string; word: string; title: string }) {
  return <span className={`tag ${tone}`} title={title}><span className="word">{word}</span><span className="sign" aria-hidden>{sign}</span></span>
}

interface Options {
  /** The address's parameters, which links to a drawer keep. */
  search?: string
  /** While the quota is enforced. */
  licensed?: boolean
}

export function imageColumns({ search = '', licensed }: Options = {}): Column<AssetRow>[] {
  return [
    {
      key: 'name', title: t('images.name'), width: 220, sort: 'name', locked: true,
      render: (r) => <span className="name-cell"><a href={detailOf(r, '', withSeverity(search))} title={r.repository}>{r.repository}</a><Badges row={r} /></span>,
    },
    { key: 'tag', title: t('images.tag'), width: 116, sort: 'tag', render: (r) => <span className="mono" title={r.tag}>{r.newest && <span className="newest" role="img" title={t('images.newest')} aria-label={t('images.newest')}>★ </span>}{r.tag || short(r.digest)}{r.index && <span className="muted"> {r.platform.architecture}</span>}</span> },
    { key: 'registry', title: t('images.registry'), width: 100, sort: 'registry', render: (r) => <a title={r.registryName} href={`/registries?search=${encodeURIComponent(r.registryName)}`}>{r.registryName}</a> },
    { key: 'address', title: t('images.address'), width: 210, optional: true, render: (r) => <span className="mono">{r.address}</span> },
    { key: 'kind', title: t('images.kind'), width: 92, optional: licensed, render: (r) => tx('registryKind', r.registryKind) },
    { key: 'status', title: t('images.status'), width: 106, sort: 'status', render: (r) => <ScanStatus row={r} /> },
    ...(licensed ? [{ key: 'licensed', title: t('quota.licence'), width: 102, render: (r: AssetRow) => <span className={`tag ${r.licensed ? 'ok' : 'outline'}`}>{r.licensed ? t('quota.isLicensed') : t('quota.isNot')}</span> }] : []),
    { key: 'risks', title: t('images.risks'), width: 244, sort: 'worst', desc: true, render: (r) => <Risks row={r} search={search} /> },
    {
      key: 'vulnerabilities', title: t('category.vulnerability'), width: 176, sort: 'vulnerabilities', desc: true, optional: true,
      render: (r) => (r.scannedAt ? <SeveritySplit counts={r.counters.vulnerabilities} to={(severity) => detailOf(r, 'vulnerabilities', withSeverity(search, severity))} /> : <span className="muted">–</span>),
    },
    { key: 'malware', title: t('category.malware'), width: 120, sort: 'malware', desc: true, align: 'right', optional: true, render: (r) => <Count n={r.scannedAt ? totalOf(r.counters.malware) : undefined} to={detailOf(r, 'malware', withSeverity(search))} bad /> },
    { key: 'secrets', title: t('category.secret'), width: 120, sort: 'secrets', desc: true, align: 'right', optional: true, render: (r) => <Count n={r.scannedAt ? totalOf(r.counters.secrets) : undefined} to={detailOf(r, 'secrets', withSeverity(search))} /> },
    { key: 'scanned', title: t('images.scannedAt'), width: 126, sort: 'scanned', desc: true, render: (r) => <Time value={r.scannedAt} /> },
    { key: 'packages', title: t('images.components'), width: 100, sort: 'packages', desc: true, align: 'right', optional: true, render: (r) => <Count n={r.scannedAt ? r.counters.packages : undefined} to={detailOf(r, 'components', withSeverity(search))} /> },
    { key: 'os', title: t('images.os'), width: 150, optional: true, render: (r) => r.osName || '–' },
    { key: 'platform', title: t('images.arch'), width: 110, optional: true, render: (r) => [r.platform.os, r.platform.architecture, r.platform.variant].filter(Boolean).join('/') || '–' },
    { key: 'size', title: t('images.size'), width: 90, sort: 'size', desc: true, align: 'right', optional: true, render: (r) => <span className="num">{bytes(r.size)}</span> },
    { key: 'created', title: t('images.created'), width: 130, sort: 'created', desc: true, optional: true, render: (r) => <Time value={r.created} /> },
    { key: 'pushed', title: t('images.pushed'), width: 130, sort: 'pushed', desc: true, optional: true, render: (r) => <Time value={r.pushed} /> },
    { key: 'synced', title: t('images.synced'), width: 130, sort: 'synced', desc: true, optional: true, render: (r) => <Time value={r.lastSeen} /> },
    { key: 'digest', title: t('images.digest'), width: 130, optional: true, render: (r) => <Copyable text={r.digest} shown={short(r.digest)} /> },
    { key: 'imageID', title: t('images.imageID'), width: 130, optional: true, render: (r) => (r.imageID ? <Copyable text={r.imageID} shown={short(r.imageID)} /> : '–') },
    { key: 'recommended', title: t('images.recommendedReason'), width: 180, optional: true, render: (r) => listed((r.recommended ?? []).map((x) => tx('reason', x))) || '–' },
    { key: 'priorityReason', title: t('images.priorityReason'), width: 200, optional: true, render: (r) => listed((r.highPriority ?? []).map((x) => tx('reason', x))) || '–' },
  ]
}

export function Count({ n, to, bad }: { n: number | undefined; to: string; bad?: boolean }) {
  if (n === undefined) return <span className="muted">–</span>
  if (n === 0) return <span className="muted num">0</span>
  return <a href={to} className="num" style={bad ? { color: 'var(--bad)', fontWeight: 600 } : undefined}>{number(n)}</a>
}
