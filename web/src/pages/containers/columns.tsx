// The columns and filters of lists of containers, wherever such a list stands.
import { useMemo } from 'react'
import type { ContainerRow } from '../../api/hosts'
import { t, tx, useLanguage } from '../../i18n'
import { short } from '../../lib/format'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { Copyable, SeveritySplit, Time, totalOf } from '../../ui/bits'

const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead', 'unknown']
const tone: Record<string, string> = { running: 'ok', paused: 'warn', restarting: 'warn', dead: 'bad', exited: 'outline', created: 'outline', removing: 'outline' }

export function useContainerFilters(): Filter[] {
  const language = useLanguage()
  return useMemo<Filter[]>(() => {
    void language // the words below are in it
    return [{ key: 'state', label: t('container.state'), kind: 'choices', options: states.map((value) => ({ value, label: tx('containerState', value) })) }]
  }, [language])
}

export function containerColumns(): Column<ContainerRow>[] {
  return [
    { key: 'name', title: t('container.name'), width: 160, sort: 'name', locked: true, render: (c) => <span title={c.name}>{c.name || short(c.id)}</span> },
    { key: 'id', title: t('container.id'), width: 116, render: (c) => <Copyable text={c.id} shown={c.id.slice(0, 12)} /> },
    { key: 'state', title: t('container.state'), width: 134, sort: 'state', render: (c) => <span className={`tag ${tone[c.state] ?? 'unknown'}`}>{tx('containerState', c.state)}</span> },
    { key: 'command', title: 'CMD', width: 128, render: (c) => <code className="mono" title={(c.command ?? []).join(' ')}>{(c.command ?? []).join(' ') || '–'}</code> },
    { key: 'updated', title: t('container.updated'), width: 130, sort: 'updated', desc: true, render: (c) => <Time value={c.updated} /> },
    { key: 'host', title: t('host.name'), width: 136, sort: 'host', render: (c) => <a href={`/hosts?search=${encodeURIComponent(c.hostName)}`}>{c.hostName}</a> },
    { key: 'engine', title: t('host.engine'), width: 110, optional: true, render: (c) => tx('engine', c.engine) },
    { key: 'image', title: t('images.name'), width: 160, render: (c) => (c.imageID ? <a href={`/local-images?imageID=${c.imageID}`} title={c.image}>{c.image}</a> : <span className="muted" title={c.image}>{c.image}</span>) },
    { key: 'risks', title: t('images.risks'), width: 186, sort: 'worst', desc: true, render: (c) => (c.risk === 'at_risk' && totalOf(c.counters.vulnerabilities) > 0 ? <SeveritySplit counts={c.counters.vulnerabilities} /> : <span className={`tag ${c.risk === 'none' ? 'ok' : c.risk === 'at_risk' ? 'high' : 'unknown'}`}>{tx('risk', c.risk)}</span>) },
    { key: 'pod', title: 'Pod', width: 180, optional: true, render: (c) => (c.pod ? <span title={c.podNamespace}>{c.podNamespace ? `${c.podNamespace}/` : ''}{c.pod}</span> : '–') },
    { key: 'created', title: t('images.created'), width: 130, sort: 'created', desc: true, optional: true, render: (c) => <Time value={c.created} /> },
  ]
}
