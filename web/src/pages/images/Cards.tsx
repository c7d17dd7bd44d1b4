import { useQuery } from '@tanstack/react-query'
import { getOverview } from '../../api/overview'
import { t } from '../../i18n'
import { ago, number } from '../../lib/format'
import { Stat, totalOf } from '../../ui/bits'

/** Cards are the figures of the last scans. Each leads to what it counts. */
export function Cards() {
  const overview = useQuery({ queryKey: ['overview', 'estate'], queryFn: getOverview })
  const o = overview.data?.repository
  const c = o?.counters
  const scanned = o?.lastScan ? t('cards.lastScan', { ago: ago(o.lastScan) }) : t('cards.noScan')
  return (
    <div className="stats">
      <Stat label={t('cards.atRisk')} value={o?.atRisk} of={o?.rows} bad to="/images?risk=at_risk" note={o && scanned} />
      <Stat label={t('cards.images')} value={o?.rows} to="/images" note={o && t('cards.contents', { count: o.images, n: number(o.images) })} />
      <Stat label={t('category.vulnerability')} value={c && totalOf(c.vulnerabilities)} to="/vulnerabilities" note={o && t('cards.distinct', { count: totalOf(o.distinctIDs), n: number(totalOf(o.distinctIDs)) })} />
      <Stat label={t('category.malware')} value={c && totalOf(c.malware)} bad to="/malware" note={o && t('cards.occurrences')} />
      <Stat label={t('category.secret')} value={c && totalOf(c.secrets)} to="/secrets" note={o && t('cards.live', { count: c?.liveSecrets ?? 0, n: number(c?.liveSecrets) })} />
      <Stat label={t('cards.waiting')} value={o?.waiting} to="/tasks" note={o && t('cards.running', { count: o.byStatus?.scanning ?? 0, n: number(o.byStatus?.scanning ?? 0) })} />
    </div>
  )
}
