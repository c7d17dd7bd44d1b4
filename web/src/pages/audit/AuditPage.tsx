import { useMemo } from 'react'
import { listAudit, type AuditEntry } from '../../api/audit'
import { spoken, t, tx } from '../../i18n'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { Copyable, PageHead, Spoken, Time } from '../../ui/bits'

const actions = ['login', 'logout', 'password', 'registry', 'feeds', 'scan', 'task', 'schedule', 'quota', 'export', 'report', 'agent', 'host', 'settings']

// Details that are a word of the API.
const words: Record<string, string> = { 'registry.test': 'health', 'schedule.run': 'scheduleResult', 'login.failed': 'error', 'password.failed': 'error' }

const detailOf = ({ action, detail = '' }: AuditEntry) => (words[action] ? tx(words[action], detail) : spoken(detail).text)

export function Component() {
  const filters = useMemo<Filter[]>(
    () => [
      { key: 'action', label: t('audit.action'), kind: 'one', options: actions.map((a) => ({ value: a, label: tx('auditGroup', a) })) },
      { key: 'user', label: t('audit.user'), kind: 'text' },
      { key: 'at', label: t('audit.at'), kind: 'dates' },
    ],
    [],
  )
  const columns: Column<AuditEntry>[] = [
    { key: 'at', title: t('audit.at'), width: 150, locked: true, render: (e) => <Time value={e.at} /> },
    { key: 'user', title: t('audit.user'), width: 130, render: (e) => e.user || '–' },
    { key: 'action', title: t('audit.action'), width: 180, render: (e) => <span title={e.action}>{tx('auditAction', e.action)}</span> },
    { key: 'target', title: t('audit.target'), width: 220, render: (e) => (e.target ? <Spoken text={e.target} /> : '–') },
    { key: 'detail', title: t('audit.detail'), width: 280, render: (e) => (e.detail ? <span title={e.detail}>{detailOf(e)}</span> : '–') },
    { key: 'address', title: t('audit.address'), width: 140, render: (e) => <span className="mono">{e.address || '–'}</span> },
    { key: 'request', title: t('audit.request'), width: 260, optional: true, render: (e) => (e.requestID ? <Copyable text={e.requestID} /> : '–') },
  ]
  return (
    <>
      <PageHead title={t('nav.audit')} sub={t('audit.sub')} />
      <AssetTable<AuditEntry>
        name="audit"
        columns={columns}
        filters={filters}
        load={({ atFrom, atTo, ...rest }, signal) => listAudit({ ...rest, ...(atFrom !== undefined && { from: atFrom }), ...(atTo !== undefined && { to: atTo }) }, signal)}
        rowKey={(e) => e.id}
        empty={{ title: t('audit.none'), help: t('audit.noneHelp') }}
      />
    </>
  )
}
