import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { listTasks, type Task } from '../../api/scans'
import { useSession } from '../../app/session'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { PageHead, Time } from '../../ui/bits'
import { categoryNames, Progress, tookOf, useTaskActions } from './parts'

const kinds = ['manual', 'schedule', 'webhook', 'rescan']

export function Component() {
  const navigate = useNavigate()
  const { may } = useSession()
  const actions = useTaskActions()
  const filters = useMemo<Filter[]>(() => [
    { key: 'kind', label: t('task.kind'), kind: 'choices', options: kinds.map((value) => ({ value, label: tx('taskKind', value) })) },
    { key: 'running', label: t('task.runningOnly'), kind: 'switch' },
    { key: 'creator', label: t('task.creator'), kind: 'text' },
    { key: 'created', label: t('task.created'), kind: 'dates' },
    { key: 'imageID', label: t('images.imageID'), kind: 'hidden' },
  ], [])
  const count = (task: Task, n: number, query: string, bad?: boolean) => (n === 0 ? <span className="muted num">0</span> : <a href={`/tasks/${task.id}${query}`} className="num" style={bad ? { color: 'var(--bad)' } : undefined}>{number(n)}</a>)
  const columns: Column<Task>[] = [
    { key: 'id', title: t('task.id'), width: 62, locked: true, render: (k) => <a href={`/tasks/${k.id}`}>#{k.id}</a> },
    { key: 'kind', title: t('task.kind'), width: 84, render: (k) => tx('taskKind', k.kind) },
    { key: 'creator', title: t('task.creator'), width: 90, render: (k) => k.creator || '–' },
    { key: 'categories', title: t('scan.categories'), width: 214, render: (k) => <span title={categoryNames(k.categories)}>{categoryNames(k.categories)}</span> },
    { key: 'progress', title: t('task.progress'), width: 130, render: (k) => <Progress task={k} /> },
    { key: 'total', title: t('task.images'), width: 84, sort: 'total', desc: true, align: 'right', render: (k) => count(k, k.total, '') },
    { key: 'scanned', title: t('task.success'), width: 90, align: 'right', render: (k) => count(k, k.scanned, '?in.status=scanned') },
    { key: 'failed', title: t('task.failed'), width: 80, sort: 'failed', desc: true, align: 'right', render: (k) => count(k, k.failed, '?in.status=failed', true) },
    { key: 'cancelled', title: t('task.cancelled'), width: 90, align: 'right', render: (k) => count(k, k.cancelled, '?in.status=cancelled') },
    { key: 'atRisk', title: t('task.atRisk'), width: 90, align: 'right', optional: true, render: (k) => <span className="num">{number(k.atRisk)}</span> },
    { key: 'unlicensed', title: t('task.unlicensed'), width: 110, align: 'right', optional: true, render: (k) => <span className="num">{number(k.unlicensed)}</span> },
    { key: 'created', title: t('task.created'), width: 130, sort: 'created', desc: true, render: (k) => <Time value={k.created} /> },
    { key: 'took', title: t('sync.took'), width: 100, optional: true, render: (k) => tookOf(k) },
    ...(may('scan') ? [{
      key: 'actions', title: t('list.actions'), width: 136, end: true,
      render: (k: Task) => (k.state === 'running'
        ? <button type="button" className="plain link" onClick={() => actions.cancel(k)}>{t('common.cancel')}</button>
        : <span className="row">
            {k.failed > 0 && <button type="button" className="plain link" onClick={() => actions.again(k, true)}>{t('task.retryFailed')}</button>}
            <button type="button" className="plain link" onClick={() => actions.again(k, false)}>{t('scan.again')}</button>
          </span>),
    }] : []),
  ]
  return (
    <>
      <PageHead title={t('nav.tasks')} />
      <AssetTable<Task>
        name="tasks"
        columns={columns}
        filters={filters}
        searchable={false}
        exporting={{ kind: 'tasks' }}
        load={listTasks}
        rowKey={(k) => k.id}
        open={(k) => void navigate(`/tasks/${k.id}`)}
        refetchInterval={(page) => (page?.items.some((k) => k.state === 'running') ? 3000 : false)}
        empty={{ title: t('task.none'), help: t('task.noneHelp'), action: <a href="/images?dialog=scan">{t('scan.quick')}</a> }}
      />
    </>
  )
}
