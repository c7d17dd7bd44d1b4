import { useMemo } from 'react'
import { listContentEvents, type FindingEvent } from '../../../api/images'
import { spoken, t, tx } from '../../../i18n'
import { AssetTable } from '../../../table/AssetTable'
import type { Column } from '../../../table/columns'
import type { Filter } from '../../../table/state'
import { Time } from '../../../ui/bits'
import type { TabProps } from '../ImageDrawer'

export const changes = ['appeared', 'changed', 'fixed', 'suppressed', 'reopened']
export const causes = ['image_content', 'advisory_added', 'advisory_changed', 'advisory_withdrawn', 'rules', 'exception']
export const changeTone: Record<string, string> = { appeared: 'bad', reopened: 'bad', fixed: 'ok', changed: 'warn', suppressed: 'outline' }

export function eventColumns(): Column<FindingEvent>[] {
  return [
    { key: 'at', title: t('event.at'), width: 140, locked: true, render: (e) => <Time value={e.at} /> },
    { key: 'change', title: t('event.change'), width: 100, render: (e) => <span className={`tag ${changeTone[e.change] ?? ''}`}>{tx('change', e.change)}</span> },
    { key: 'what', title: t('event.what'), width: 150, render: (e) => (e.vulnerability ? <a href={`/vulnerabilities/${encodeURIComponent(e.vulnerability)}`}>{e.vulnerability}</a> : tx('category', e.category)) },
    { key: 'package', title: t('finding.package'), width: 210, render: (e) => (e.package ? <span>{e.package.name} <span className="mono muted">{e.package.version}</span></span> : '–') },
    { key: 'cause', title: t('event.cause'), width: 130, render: (e) => tx('cause', e.cause) },
    { key: 'values', title: t('event.values'), width: 290, render: (e) => { const said = [e.before, e.after].flatMap((x) => (x ? [spoken(x).text] : [])).join(' → '); return <span title={said}>{said || '–'}</span> } },
  ]
}

export default function ChangesTab({ row }: TabProps) {
  const imageID = row.imageID ?? ''
  const filters = useMemo<Filter[]>(() => [
    { key: 'change', label: t('event.change'), kind: 'choices', options: changes.map((value) => ({ value, label: tx('change', value) })) },
    { key: 'cause', label: t('event.cause'), kind: 'choices', options: causes.map((value) => ({ value, label: tx('cause', value) })) },
    { key: 'category', label: t('event.category'), kind: 'choices', options: ['vulnerability', 'secret', 'malware'].map((value) => ({ value, label: tx('category', value) })) },
  ], [])
  return (
    <AssetTable<FindingEvent>
      name="content.events"
      of={[imageID]}
      scope="in"
      columns={eventColumns()}
      filters={filters}
      searchable={false}
      exporting={{ kind: 'changes', images: { imageIDs: [imageID] } }}
      load={(query, signal) => listContentEvents(imageID, query, signal)}
      rowKey={(e) => e.id}
      empty={{ title: t('event.none'), help: t('event.noneHelp') }}
    />
  )
}
