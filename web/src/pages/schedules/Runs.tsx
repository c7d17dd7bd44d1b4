import Drawer from 'antd/es/drawer'
import { listRuns, type ScheduleRun } from '../../api/schedules'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { useNarrow } from '../../lib/narrow'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import { Time } from '../../ui/bits'
import { Result } from './Result'

/** Runs are all openings of a schedule, and what came of each. */
export default function Runs({ id, name, close }: { id: number; name: string; close(): void }) {
  const narrow = useNarrow()
  const count = (r: ScheduleRun, n: number | undefined, status: string) => (r.task && n !== undefined ? n === 0 ? <span className="muted num">0</span> : <a className="num" href={`/tasks/${r.task.id}${status && `?in.status=${status}`}`}>{number(n)}</a> : <span className="muted">–</span>)
  const columns: Column<ScheduleRun>[] = [
    { key: 'opens', title: t('schedule.due'), width: 136, locked: true, render: (r) => <Time value={r.opens} /> },
    { key: 'result', title: t('sync.result'), width: 130, render: (r) => <Result run={r} /> },
    { key: 'by', title: t('sync.reason'), width: 100, render: (r) => (r.by === 'schedule' ? tx('taskKind', 'schedule') : r.by) },
    { key: 'task', title: t('task.one'), width: 70, render: (r) => (r.task ? <a href={`/tasks/${r.task.id}`}>#{r.task.id}</a> : <span className="muted">–</span>) },
    { key: 'total', title: t('task.images'), width: 76, align: 'right', render: (r) => count(r, r.task?.total, '') },
    { key: 'scanned', title: t('task.success'), width: 86, align: 'right', render: (r) => count(r, r.task?.scanned, 'scanned') },
    { key: 'failed', title: t('task.failed'), width: 70, align: 'right', render: (r) => count(r, r.task?.failed, 'failed') },
    { key: 'putBack', title: t('schedule.putBack'), width: 90, align: 'right', render: (r) => <span className={r.putBack ? 'num' : 'muted num'} title={t('schedule.putBackHelp')}>{number(r.putBack)}</span> },
    { key: 'unlicensed', title: t('task.unlicensed'), width: 110, align: 'right', optional: true, render: (r) => <span className="num">{number(r.task?.unlicensed)}</span> },
    { key: 'started', title: t('sync.started'), width: 136, optional: true, render: (r) => <Time value={r.started} /> },
    { key: 'ended', title: t('task.ended'), width: 136, render: (r) => <Time value={r.ended} /> },
    { key: 'closes', title: t('schedule.closes'), width: 136, optional: true, render: (r) => <Time value={r.closes} /> },
  ]
  return (
    <Drawer open size={narrow ? '100%' : 'min(1000px, 88vw)'} onClose={close} title={t('schedule.runsOf', { name })} styles={{ body: { background: 'var(--bg)' } }}>
      <AssetTable<ScheduleRun>
        name="schedule.runs"
        of={[id]}
        scope="in"
        columns={columns}
        searchable={false}
        load={(query, signal) => listRuns(id, query, signal)}
        rowKey={(r) => r.id}
        refetchInterval={(page) => (page?.items.some((r) => !r.ended) ? 3000 : false)}
        empty={{ title: t('schedule.noRuns'), help: t('schedule.noRunsHelp') }}
      />
    </Drawer>
  )
}
