import SyncOutlined from '@ant-design/icons/SyncOutlined'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import { later } from '../../api/client'
import { listRegistries, startSync } from '../../api/registries'
import { t } from '../../i18n'
import { number } from '../../lib/format'
import { errorLine } from '../../ui/ErrorNote'

/** SyncAssets asks all registries what they hold now; while that goes on it says how far it is. */
export function SyncAssets() {
  const { message, modal } = AntApp.useApp()
  const queries = useQueryClient()
  const registries = useQuery({
    queryKey: ['registries', 'all'],
    queryFn: ({ signal }) => later().then(() => listRegistries({}, signal)),
    refetchInterval: (q) => (q.state.data?.items.some((r) => r.sync.state === 'running') ? 2000 : false),
  })
  const all = registries.data?.items ?? []
  const running = all.filter((r) => r.sync.state === 'running')
  const done = running.reduce((sum, r) => sum + r.sync.done, 0)
  const total = running.reduce((sum, r) => sum + r.sync.total, 0)

  function ask() {
    modal.confirm({
      title: t('sync.confirm'),
      content: registries.data && t('sync.confirmHelp', { count: all.length }),
      okText: t('common.ok'),
      async onOk() {
        try {
          const { started, running: already } = await startSync({ full: true })
          void message.success(t('sync.startedCount', { count: (started ?? []).length + (already ?? []).length }))
        } catch (e) {
          void message.error(errorLine(e as Error))
        }
        await queries.invalidateQueries({ queryKey: ['registries'] })
      },
    })
  }

  return (
    <Button icon={<SyncOutlined aria-hidden spin={running.length > 0} />} disabled={registries.data && (all.length === 0 || running.length > 0)} onClick={ask}>
      {running.length === 0 ? t('sync.assets') : total > 0 ? t('sync.progress', { done: number(done), total: number(total) }) : t('sync.running')}
    </Button>
  )
}
