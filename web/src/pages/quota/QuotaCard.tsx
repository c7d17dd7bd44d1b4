import { t } from '../../i18n'
import { number } from '../../lib/format'
import { Bar, Panel } from '../../ui/bits'
import { useQuota } from './useQuota'

/** QuotaCard is how much of the quota is used; nothing while it is off. */
export function QuotaCard() {
  const q = useQuota()
  if (!q?.enabled) return null
  return (
    <Panel title={t('nav.quota')} more={<a href="/quota">{t('quota.ledger')}</a>}>
      <div className="row" style={{ justifyContent: 'space-between', marginBottom: 6 }}>
        <span>{t('quota.used')} <strong className="num">{number(q.used)}</strong> <span className="muted num">/ {number(q.total)}</span></span>
        <a href="/images?licensed=false">{t('quota.unlicensed')} <span className="num">{number(q.unlicensed)}</span></a>
      </div>
      <Bar percent={q.total > 0 ? (q.used * 100) / q.total : 0} failed={q.left <= 0} label={t('quota.used')} />
    </Panel>
  )
}
