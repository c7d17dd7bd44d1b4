import AntApp from 'antd/es/app'
import type { Task } from '../../api/scans'
import { cancelTask, rescanTask } from '../../api/scans'
import { t, tx } from '../../i18n'
import { duration, number, listed } from '../../lib/format'
import { Bar } from '../../ui/bits'
import { useScans } from '../images/useScans'

export const stateTone: Record<string, string> = { running: 'info', success: 'ok', partial: 'warn', cancelled: 'outline', failed: 'bad' }

export function Progress({ task }: { task: Task }) {
  if (task.state !== 'running') return <span className={`tag ${stateTone[task.state] ?? ''}`}>{tx('taskState', task.state)}</span>
  return (
    <div>
      <span className="num" style={{ color: 'var(--link)' }}>
        {task.progress} % {task.remainingSeconds !== undefined && <span className="muted">· {t('scan.remaining', { time: duration(task.remainingSeconds) })}</span>}
      </span>
      <Bar percent={task.progress} label={t('task.progress')} />
    </div>
  )
}

export const tookOf = (task: Pick<Task, 'created' | 'ended'>) => (task.ended ? duration((Date.parse(task.ended) - Date.parse(task.created)) / 1000) : '–')

/** useTaskActions cancels tasks and does them again; what will happen is said before. */
export function useTaskActions() {
  const { modal, message } = AntApp.useApp()
  const scans = useScans()

  function cancel(task: Task, imageIDs?: string[], done?: () => void) {
    const count = imageIDs?.length ?? task.waiting + task.running
    modal.confirm({
      title: imageIDs ? t('scan.cancelMany', { count, n: number(count) }) : t('task.cancelTitle', { id: task.id }),
      content: t('scan.cancelHelp'),
      okText: t('scan.cancel'),
      async onOk() {
        try {
          const { cancelled } = await cancelTask(task.id, imageIDs)
          void message.success(t('scan.cancelled', { count: cancelled, n: number(cancelled) }))
          done?.()
        } catch (e) {
          scans.failed(e)
        }
        await scans.refresh()
      },
    })
  }

  function again(task: Task, failedOnly: boolean) {
    const count = failedOnly ? task.failed : task.total
    modal.confirm({
      title: failedOnly ? t('task.retryTitle', { count, n: number(count) }) : t('task.againTitle', { count, n: number(count) }),
      content: t('scan.confirmHelp', { categories: listed((task.categories ?? []).map((c) => tx('category', c))) }),
      okText: t('common.ok'),
      async onOk() {
        try {
          scans.started(await rescanTask(task.id, failedOnly))
        } catch (e) {
          scans.failed(e)
        }
        await scans.refresh()
      },
    })
  }

  return { cancel, again }
}
