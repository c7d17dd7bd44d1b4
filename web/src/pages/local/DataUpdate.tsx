// The mission's "Data update": servers tell anew what they have, with how far that is
// and which of them did not.
import SyncOutlined from '@ant-design/icons/SyncOutlined'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Popover from 'antd/es/popover'
import { getLastDataUpdate, startDataUpdate, type DataUpdate as Update, type HostRow } from '../../api/hosts'
import { useSession } from '../../app/session'
import { t } from '../../i18n'
import { ago, number } from '../../lib/format'
import { errorLine, errorText, remedyText } from '../../ui/ErrorNote'

export function useDataUpdate() {
  const { message, modal } = AntApp.useApp()
  const queries = useQueryClient()
  const last = useQuery({ queryKey: ['data-update'], queryFn: async () => (await getLastDataUpdate()) ?? null, refetchInterval: (q) => (q.state.data && !q.state.data.ended ? 1500 : false) }).data

  /** ask confirms, and lets one server or all of them tell. */
  function ask(host?: Pick<HostRow, 'id' | 'name'>) {
    modal.confirm({
      title: host ? t('update.confirmOne', { name: host.name }) : t('update.confirm'),
      content: t('update.help'),
      okText: t('common.ok'),
      async onOk() {
        try {
          const update = await startDataUpdate(host && [host.id])
          void message.success(t('update.started', { count: update.total, n: number(update.total) }))
        } catch (e) {
          void message.error(errorLine(e as Error), 6)
        }
        await queries.invalidateQueries({ queryKey: ['data-update'] })
      },
    })
  }
  return { last, ask }
}

/** DataUpdate is the button, with the last update beside it. */
export function DataUpdate() {
  const { may } = useSession()
  const { last, ask } = useDataUpdate()
  const running = !!last && !last.ended
  const told = last ? last.done + (last.failed ?? []).length : 0
  return (
    <>
      {last?.ended && <LastUpdate update={last} ended={last.ended} />}
      {may('scan') && (
        <Button icon={<SyncOutlined aria-hidden spin={running} />} disabled={running} onClick={() => ask()}>
          {running ? t('update.progress', { done: number(told), total: number(last.total) }) : t('update.title')}
        </Button>
      )}
    </>
  )
}

function LastUpdate({ update, ended }: { update: Update; ended: string }) {
  const failed = update.failed ?? []
  const text = t('update.last', { ago: ago(ended) })
  if (failed.length === 0) return <span className="muted">{text}</span>
  return (
    <span className="row wrap" style={{ gap: 6 }}>
      <span className="muted">{text}</span>
      <Popover
        placement="bottomRight"
        content={(
          <ul style={{ margin: 0, paddingLeft: 18, maxWidth: 420, maxHeight: 320, overflow: 'auto' }}>
            {failed.map((f) => <li key={f.hostID}><strong>{f.hostName}</strong> {f.error && <>{errorText(f.error)} <span className="muted">{remedyText(f.error)}</span></>}</li>)}
          </ul>
        )}
      >
        <button type="button" className="plain tag bad">{t('update.failed', { count: failed.length, n: number(failed.length) })}</button>
      </Popover>
    </span>
  )
}
