// Starting and cancelling scans from wherever images are listed: what will happen
// is said before, and what did happen after.
import { useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import { cancelScans, startScan, type CancelRequest, type ScanRequest, type Task } from '../../api/scans'
import { toFilter, type AssetFilter } from '../../api/images'
import { t, tx } from '../../i18n'
import { number, listed } from '../../lib/format'
import type { Ticked } from '../../table/AssetTable'
import { errorLine } from '../../ui/ErrorNote'

export const allCategories: ScanRequest['categories'] = ['vulnerability', 'secret', 'malware', 'software']

/** chosen is the filter of what is ticked in a list of images. */
export function chosen({ selection, query }: Pick<Ticked, 'selection' | 'query'>, source?: 'local'): AssetFilter {
  const of = source && { source }
  if (selection.mode === 'some') return { ...of, ids: selection.keys as number[] }
  return { ...of, ...toFilter(query), ...(selection.except.length > 0 && { exclude: selection.except as number[] }) }
}

export function useScans() {
  const { modal, message } = AntApp.useApp()
  const queries = useQueryClient()

  const refresh = () => Promise.all(['images', 'local-images', 'image', 'scans', 'tasks', 'task', 'overview'].map((word) => queries.invalidateQueries({ queryKey: [word] })))

  function failed(e: unknown) {
    void message.error(errorLine(e as Error), 6)
  }

  function started(task: Task) {
    void message.success(<span>{t('scan.started', { count: task.total, n: number(task.total) })} <a href={`/tasks/${task.id}`}>{t('scan.toTask')}</a></span>, 5)
  }

  /** scan asks, and then scans what a filter chooses. */
  function scan(filter: AssetFilter, rows: number | undefined, name?: string, done?: () => void) {
    modal.confirm({
      title: name ? t('scan.confirmOne', { name }) : t('scan.confirmMany', { count: rows ?? 0, n: number(rows) }),
      content: t('scan.confirmHelp', { categories: listed(allCategories.map((c) => tx('category', c))) }),
      okText: t('common.ok'),
      async onOk() {
        try {
          started(await startScan({ categories: allCategories, scope: filter.ids ? 'specified' : 'all', filter }))
          done?.()
        } catch (e) {
          failed(e)
        }
        await refresh()
      },
    })
  }

  function cancel(request: CancelRequest, count: number | undefined, name?: string, done?: () => void) {
    modal.confirm({
      title: name ? t('scan.cancelOne', { name }) : t('scan.cancelMany', { count: count ?? 0, n: number(count) }),
      content: t('scan.cancelHelp'),
      okText: t('scan.cancel'),
      async onOk() {
        try {
          const { cancelled } = await cancelScans(request)
          void message.success(t('scan.cancelled', { count: cancelled, n: number(cancelled) }))
          done?.()
        } catch (e) {
          failed(e)
        }
        await refresh()
      },
    })
  }

  return { scan, cancel, started, failed, refresh }
}
