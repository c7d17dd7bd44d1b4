import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useMemo } from 'react'
import { useParams } from 'react-router'
import { getTask, listScans, type Scan, type Task } from '../../api/scans'
import { useSession } from '../../app/session'
import { t, tx } from '../../i18n'
import { duration, number, short } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { Bar, PageHead, Stat, Time } from '../../ui/bits'
import { errorText, ErrorNote, remedyText } from '../../ui/ErrorNote'
import { detailOf } from '../images/columns'
import { statusTone } from '../images/ScanStatus'
import { categoryNames, CategoryProgress, Progress, useTaskActions } from './parts'

export function Component() {
  const { id = '' } = useParams()
  const { may } = useSession()
  const actions = useTaskActions()
  const asked = useQuery({ queryKey: ['task', Number(id)], queryFn: () => getTask(Number(id)), refetchInterval: (q) => (q.state.data?.state === 'running' ? 2000 : false) })
  const task = asked.data
  return (
    <>
      <PageHead title={`${t('task.one')} #${id}`} sub={<a href="/tasks">{t('nav.tasks')}</a>}>
        {task && may('scan') && (task.state === 'running' ? <Button onClick={() => actions.cancel(task)}>{t('scan.cancel')}</Button> : (
          <>
            {task.failed > 0 && <Button onClick={() => actions.again(task, true)}>{t('task.retryFailed')}</Button>}
            <Button type="primary" onClick={() => actions.again(task, false)}>{t('scan.again')}</Button>
          </>
        ))}
      </PageHead>
      {asked.error && <ErrorNote error={asked.error} retry={() => void asked.refetch()} />}
      {task && <Head task={task} />}
      {task && <Scans task={task} />}
    </>
  )
}

function Head({ task }: { task: Task }) {
  const to = (query: string) => `/tasks/${task.id}${query}`
  return (
    <div className="stats">
      <div className="stat"><div className="label">{tx('taskKind', task.kind)} · {task.creator}</div><div className="value" style={{ fontSize: 14 }}><Progress task={task} /></div><div className="foot"><Time value={task.created} /> {task.ended && <>– <Time value={task.ended} /></>}</div></div>
      <Stat label={t('task.images')} value={task.total} to={to('')} note={task.unlicensed > 0 ? t('task.unlicensedNote', { count: task.unlicensed, n: number(task.unlicensed) }) : categoryNames(task.categories)} />
      <Stat label={t('task.waiting')} value={task.waiting} to={to('?in.phase=waiting')} note={t('task.runningNow', { count: task.running, n: number(task.running) })} />
      <Stat label={t('task.success')} value={task.scanned} to={to('?in.status=scanned')} note={t('task.atRiskNote', { count: task.atRisk, n: number(task.atRisk) })} />
      <Stat label={t('task.failed')} value={task.failed} bad to={to('?in.status=failed')} note={task.timeoutSeconds > 0 ? t('task.timeoutNote', { time: duration(task.timeoutSeconds) }) : ''} />
      <Stat label={t('task.cancelled')} value={task.cancelled} to={to('?in.status=cancelled')} />
    </div>
  )
}

function Scans({ task }: { task: Task }) {
  const { may } = useSession()
  const actions = useTaskActions()
  const fixed = useMemo(() => ({ task: [String(task.id)] }), [task.id])
  const filters = useMemo<Filter[]>(() => [
    { key: 'status', label: t('images.status'), kind: 'choices', options: ['scanning', 'scanned', 'failed', 'cancelled'].map((value) => ({ value, label: tx('status', value) })) },
    { key: 'phase', label: t('task.phase'), kind: 'one', options: ['waiting', 'running', 'ended'].map((value) => ({ value, label: tx('phase', value) })) },
  ], [])
  const columns: Column<Scan>[] = [
    { key: 'image', title: t('images.name'), width: 240, locked: true, render: (s) => (s.image ? <a href={detailOf(s.image)}>{s.image.repository}:{s.image.tag}</a> : <span className="mono muted">{short(s.imageID)}</span>) },
    {
      key: 'status', title: t('images.status'), width: 120, sort: 'status',
      render: (s) => (s.phase === 'waiting' ? <span className="tag outline">{tx('phase', 'waiting')}</span> : s.phase === 'running'
        ? <div><span className="num" style={{ color: 'var(--link)' }}>{t('scan.percent', { percent: s.percent })}</span><Bar percent={s.percent} label={tx('status', 'scanning')} /></div>
        : <span className={`tag ${statusTone[s.status] ?? ''}`}>{tx('status', s.status)}</span>),
    },
    { key: 'categories', title: t('task.perCategory'), width: 356, render: (s) => <CategoryProgress progress={s.progress ?? {}} /> },
    { key: 'time', title: t('sync.took'), width: 104, render: (s) => (s.phase === 'running' ? (s.remainingSeconds !== undefined ? t('scan.remaining', { time: duration(s.remainingSeconds) }) : '…') : s.durationSeconds !== undefined ? duration(s.durationSeconds) : '–') },
    { key: 'reason', title: t('task.reason'), width: 200, render: (s) => (s.error ? <span className="wraps"><strong>{errorText(s.error)}</strong> {remedyText(s.error)}</span> : <span className="muted">–</span>) },
    { key: 'started', title: t('sync.started'), width: 130, optional: true, render: (s) => <Time value={s.started} /> },
    { key: 'ended', title: t('task.ended'), width: 130, sort: 'ended', desc: true, render: (s) => <Time value={s.ended} /> },
    { key: 'worker', title: t('task.worker'), width: 140, optional: true, render: (s) => s.worker || '–' },
  ]
  return (
    <AssetTable<Scan>
      name="scans"
      of={[task.id]}
      scope="in"
      columns={columns}
      filters={filters}
      fixed={fixed}
      searchable={false}
      exporting={{ kind: 'scans' }}
      load={listScans}
      rowKey={(s) => s.imageID}
      refetchInterval={() => (task.state === 'running' ? 2000 : false)}
      bulk={may('scan') && task.state === 'running' ? ({ selection, clear }) => selection.mode === 'some' && (
        <Button size="small" onClick={() => actions.cancel(task, selection.keys as string[], clear)}>{t('scan.cancel')}</Button>
      ) : undefined}
      empty={{ title: t('task.noScans'), help: t('task.noScansHelp') }}
    />
  )
}
