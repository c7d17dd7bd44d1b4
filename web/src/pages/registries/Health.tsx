import Popover from 'antd/es/popover'
import { t, tx, say } from '../../i18n'
import { timestamp } from '../../lib/format'
import type { Registry } from '../../api/registries'

const tone: Record<string, string> = { connected: 'ok', '': '' }

/** Health is the outcome of the last connection test, with its reason and remedy. */
export function Health({ health }: { health: Registry['health'] }) {
  const status = health.status || 'untested'
  const label = <span className={`tag ${status === 'untested' ? '' : (tone[health.status] ?? 'bad')}`}>{tx('health', status)}</span>
  const reason = say(health.reason)
  if (!reason && !health.checked) return label
  return (
    <Popover
      content={
        <div style={{ maxWidth: 360 }}>
          {reason && <p style={{ margin: 0 }}><strong>{reason}</strong></p>}
          {say(health.remedy) && <p style={{ margin: '4px 0 0' }}>{say(health.remedy)}</p>}
          {health.checked && <p className="muted" style={{ margin: '4px 0 0' }}>{t('registries.tested', { at: timestamp(health.checked) })}</p>}
          {health.addresses && health.addresses.length > 0 && <p className="muted mono" style={{ margin: '4px 0 0' }}>{health.addresses.join(', ')}</p>}
        </div>
      }
    >
      <span tabIndex={0}>{label}</span>
    </Popover>
  )
}
