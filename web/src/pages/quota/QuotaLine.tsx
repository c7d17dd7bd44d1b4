import type { QuotaNeed } from '../../api/quota'
import { t } from '../../i18n'
import { number } from '../../lib/format'

/**
 * QuotaLine is what a scan means for the quota: what has no licence is licensed by the
 * rule, or else left out when the clock asks (skips), and reason to refuse all when
 * somebody does.
 */
export function QuotaLine({ need, skips }: { need: QuotaNeed; skips?: boolean }) {
  if (!need.enabled) return null
  const short = need.needed - need.auto
  const style = { margin: '2px 0 6px' }
  if (need.needed === 0) return <p className="muted" style={style}>{t('quota.allLicensed')}</p>
  if (short <= 0) return <p className="muted" style={style}>{t('quota.byRule', { count: need.needed, n: number(need.needed) })}</p>
  const values = { count: short, n: number(short), left: number(need.left) }
  return <p className="bad" style={style}>{skips ? t('quota.skipped', values) : t('quota.refuses', values)}</p>
}
