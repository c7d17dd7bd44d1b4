import AntApp from 'antd/es/app'
import type { CSSProperties } from 'react'
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

const order = ['vulnerability', 'secret', 'malware', 'software']
const inOrder = (a: string, b: string) => order.indexOf(a) - order.indexOf(b)

/** categoryNames are what is looked for, in the order in which it stands everywhere. */
export const categoryNames = (categories: string[] | null | undefined) => listed([...(categories ?? [])].sort(inOrder).map((c) => tx('category', c)))

/** CategoryProgress is how far each category of a scan is, on one line. */
export function CategoryProgress({ progress }: { progress: Record<string, number> }) {
  return (
    <span className="row wrap" style={{ gap: 4 }}>
      {Object.entries(progress).sort(([a], [b]) => inOrder(a, b)).map(([category, percent]) => (
        <span
          key={category} className={`tag ${percent >= 100 ? 'ok' : 'partly'}`} style={{ '--part': `${percent}%` } as CSSProperties}
          role="progressbar" aria-label={tx('category', category)} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} title={`${tx('category', category)} ${percent} %`}
        >
          {tx('category', category)}{percent < 100 && <span className="num">{percent} %</span>}
        </span>
      ))}
    </span>
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
      content: t('scan.confirmHelp', { categories: categoryNames(task.categories) }),
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
