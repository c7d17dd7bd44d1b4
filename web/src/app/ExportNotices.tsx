import AntApp from 'antd/es/app'
import { fileOf, type Export } from '../api/exports'
import { t } from '../i18n'
import { bytes, number } from '../lib/format'
import { errorLine } from '../ui/ErrorNote'
import { useEvents } from './live'
import { useSession } from './session'

/** ExportNotices tells whoever asked for a file, on whichever page they are by then, that it is there. */
export function ExportNotices() {
  const { notification } = AntApp.useApp()
  const { session } = useSession()
  useEvents((type, data) => {
    if (type !== 'export') return
    const e = data as unknown as Export
    if (e.by !== session.user.name) return
    const key = `export ${e.id}`
    if (e.state === 'success') {
      notification.success({
        key, duration: 20, title: t('export.ready'),
        description: <span style={{ overflowWrap: 'anywhere' }}>{e.fileName} <span className="muted nowrap">{t('export.count', { count: e.rows, n: number(e.rows) })} · {bytes(e.bytes)}</span></span>,
        actions: <a href={fileOf(e.id)} download onClick={() => notification.destroy(key)}>{t('export.download')}</a>,
      })
    } else if (e.state === 'failed' && e.error) {
      notification.error({ key, duration: 0, title: t('export.failed', { name: e.fileName }), description: errorLine(e.error), actions: <a href="/exports" onClick={() => notification.destroy(key)}>{t('nav.exports')}</a> })
    }
  })
  return null
}
