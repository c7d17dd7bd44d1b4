import Popover from 'antd/es/popover'
import type { Registry } from '../../api/registries'
import { t } from '../../i18n'
import { number, timestamp } from '../../lib/format'
import { Bar, Time } from '../../ui/bits'
import { errorText, remedyText } from '../../ui/ErrorNote'

/** SyncState is how old our knowledge of a registry's inventory is, or how far a run has come. */
export function SyncState({ registry, history }: { registry: Registry; history(): void }) {
  const { state, done, total, error, lastSuccess, hinted } = registry.sync
  if (state === 'running') {
    return (
      <div>
        <span className="num">{total > 0 ? t('sync.progress', { done: number(done), total: number(total) }) : t('sync.running')}</span>
        <Bar percent={total > 0 ? (100 * done) / total : 5} label={t('registries.sync')} />
        {!!hinted && <span className="muted small">{t('sync.hinted', { count: hinted, n: number(hinted) })}</span>}
      </div>
    )
  }
  if (state === 'failed' && error) {
    return (
      <Popover content={<div style={{ maxWidth: 360 }}><strong>{errorText(error)}</strong><p style={{ margin: '4px 0 0' }}>{remedyText(error)}</p>{lastSuccess && <p className="muted" style={{ margin: '4px 0 0' }}>{t('sync.lastSuccess', { at: timestamp(lastSuccess) })}</p>}</div>}>
        <button type="button" className="plain" onClick={history}><span className="tag bad">{t('sync.failed')}</span></button>
      </Popover>
    )
  }
  if (!lastSuccess) return <span className="muted">{t('sync.never')}</span>
  return <button type="button" className="plain link" onClick={history}><Time value={lastSuccess} /></button>
}
