import type { Registry } from '../../api/registries'
import { t } from '../../i18n'
import { number } from '../../lib/format'
import { Bar } from '../../ui/bits'

/** Limit is how much of the hourly limit is used, and how much is left. */
export function Limit({ registry }: { registry: Registry }) {
  const limit = registry.hourlyLimit ?? 0
  if (limit === 0) return <span className="muted">{t('registries.unlimited')}</span>
  const left = Math.max(0, limit - registry.pulledHour)
  return (
    <div title={t('registries.limitHelp', { limit: number(limit) })}>
      <span className="num">{t('registries.used', { used: number(registry.pulledHour), left: number(left) })}</span>
      <Bar percent={(100 * registry.pulledHour) / limit} failed={left === 0} label={t('registries.limit')} />
    </div>
  )
}
