// The columns and filters of lists of servers, wherever such a list stands.
import Popover from 'antd/es/popover'
import { useMemo } from 'react'
import { listHostFacets, type HostRow } from '../../api/hosts'
import { t, tx, useLanguage } from '../../i18n'
import { number } from '../../lib/format'
import type { Column } from '../../table/columns'
import { facet, useCounted } from '../../table/counted'
import type { Filter } from '../../table/state'
import { Spoken, Time } from '../../ui/bits'

export function useHostFilters(): Filter[] {
  const language = useLanguage()
  const counted = useCounted(['hosts', 'facets'], listHostFacets)
  return useMemo<Filter[]>(() => {
    void language // the words below are in it
    return [
      { key: 'status', label: t('host.status'), kind: 'one', options: ['online', 'offline'].map((value) => ({ value, label: tx('hostStatus', value) })) },
      { key: 'project', label: t('host.project'), kind: 'choices', ...facet(counted, 'projects') },
      { key: 'label', label: t('host.label'), kind: 'choices', ...facet(counted, 'labels') },
      { key: 'engine', label: t('host.engine'), kind: 'choices', ...facet(counted, 'engines', (engine) => tx('engine', engine)) },
    ]
  }, [counted, language])
}

export const Online = ({ online }: { online: boolean }) => <span className={`tag ${online ? 'ok' : 'bad'}`}>{tx('hostStatus', online ? 'online' : 'offline')}</span>

type Trouble = { code: string; message: string; remedy?: string }

/** Problems are what a server's agent cannot do there, apart from what goes wrong with single scans. */
export function Problems({ all }: { all: Trouble[] }) {
  if (all.length === 0) return <span className="muted">–</span>
  return (
    <Popover content={<ul style={{ margin: 0, paddingLeft: 18, maxWidth: 420 }}>{all.map((p, i) => <li key={i}><Spoken text={p.message} />{p.remedy && <span className="muted"> <Spoken text={p.remedy} /></span>}</li>)}</ul>}>
      <span tabIndex={0} className="tag warn">{t('host.problems', { count: all.length, n: number(all.length) })}</span>
    </Popover>
  )
}

export const troublesOf = (h: HostRow): Trouble[] => [...(h.error ? [h.error] : []), ...(h.problems ?? [])]

export const enginesOf = (h: HostRow) => (h.engines ?? []).map((e) => `${tx('engine', e.kind)} ${e.version ?? ''}`.trim()).join(', ')

export function hostColumns(): Column<HostRow>[] {
  return [
    { key: 'name', title: t('host.name'), width: 152, sort: 'name', locked: true, render: (h) => <a href={`/local-images?host=${encodeURIComponent(h.id)}`} title={h.name}>{h.name}</a> },
    { key: 'ips', title: 'IP', width: 128, render: (h) => <span className="mono" title={(h.ips ?? []).join('\n')}>{(h.ips ?? []).slice(0, 2).join(', ') || '–'}{(h.ips ?? []).length > 2 && ' …'}</span> },
    { key: 'engines', title: t('host.engineVersion'), width: 136, render: (h) => enginesOf(h) || '–' },
    { key: 'online', title: t('host.status'), width: 122, render: (h) => <span className="row" style={{ gap: 4 }}><Online online={h.online} />{troublesOf(h).length > 0 && <Problems all={troublesOf(h)} />}</span> },
    { key: 'project', title: t('host.project'), width: 132, sort: 'project', render: (h) => h.project || '–' },
    { key: 'labels', title: t('host.labels'), width: 180, optional: true, render: (h) => { const all = Object.entries(h.labels ?? {}).map(([name, value]) => `${name}=${value}`).sort().join(', '); return <span title={all}>{all || '–'}</span> } },
    { key: 'images', title: t('host.images'), width: 78, sort: 'images', desc: true, align: 'right', render: (h) => <Number n={h.images} to={`/local-images?host=${encodeURIComponent(h.id)}`} /> },
    { key: 'atRisk', title: t('host.atRisk'), width: 80, sort: 'atRisk', desc: true, align: 'right', render: (h) => <Number n={h.atRisk} bad to={`/local-images?host=${encodeURIComponent(h.id)}&risk=at_risk`} /> },
    { key: 'containers', title: t('nav.containers'), width: 104, sort: 'containers', desc: true, align: 'right', render: (h) => <Number n={h.containers} to={`/containers?host=${encodeURIComponent(h.id)}`} /> },
    { key: 'running', title: t('host.running'), width: 90, sort: 'running', desc: true, align: 'right', optional: true, render: (h) => <Number n={h.running} to={`/containers?host=${encodeURIComponent(h.id)}&state=running`} /> },
    { key: 'updated', title: t('host.updated'), width: 130, sort: 'updated', desc: true, render: (h) => <Time value={h.updated} /> },
    { key: 'seen', title: t('host.seen'), width: 130, sort: 'seen', desc: true, optional: true, render: (h) => <Time value={h.seen} /> },
    { key: 'os', title: t('images.os'), width: 220, optional: true, render: (h) => h.os || '–' },
    { key: 'kernel', title: t('host.kernel'), width: 150, optional: true, render: (h) => <span className="mono">{h.kernel || '–'}</span> },
  ]
}

function Number({ n, to, bad }: { n: number; to: string; bad?: boolean }) {
  if (n === 0) return <span className="muted num">0</span>
  return <a href={to} className="num" style={bad ? { color: 'var(--bad)', fontWeight: 600 } : undefined}>{number(n)}</a>
}
