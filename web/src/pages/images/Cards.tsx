import { useQuery } from '@tanstack/react-query'
import { later } from '../../api/client'
import { getOverview } from '../../api/overview'
import { t } from '../../i18n'
import { ago, number } from '../../lib/format'
import { Stat, totalOf } from '../../ui/bits'

/** Cards are the figures of the last scans. Each leads to what it counts. */
export function Cards({ local }: { local?: boolean }) {
  const overview = useQuery({ queryKey: ['overview', 'estate'], queryFn: () => later().then(getOverview) })
  const o = local ? overview.data?.local : overview.data?.repository
  const list = local ? '/local-images' : '/images'
  const c = o?.counters
  const scanned = o?.lastScan ? t('cards.lastScan', { ago: ago(o.lastScan) }) : t('cards.noScan')
  return (
    <div className="stats">
      <Stat label={t('cards.atRisk')} value={o?.atRisk} of={o?.rows} bad to={`${list}?risk=at_risk`} note={o && scanned} />
      <Stat label={t('cards.images')} value={o?.rows} to={list} note={o && t('cards.contents', { count: o.images, n: number(o.images) })} />
      <Stat label={t('category.vulnerability')} value={c && totalOf(c.vulnerabilities)} to="/vulnerabilities" note={o && t('cards.distinct', { count: totalOf(o.distinctIDs), n: number(totalOf(o.distinctIDs)) })} />
      <Stat label={t('category.malware')} value={c && totalOf(c.malware)} bad to="/malware" note={o && t('cards.occurrences')} />
      <Stat label={t('category.secret')} value={c && totalOf(c.secrets)} to="/secrets" note={o && t('cards.live', { count: c?.liveSecrets ?? 0, n: number(c?.liveSecrets) })} />
      {local && <Stat label={t('nav.hosts')} value={o?.hostsOnline} of={o?.hosts} to="/hosts" note={o && t('local.cardContainers', { count: o.running, n: number(o.running), all: number(o.containers) })} />}
      {!local && <Stat label={t('cards.waiting')} value={o?.waiting} to="/tasks" note={o && t('cards.running', { count: o.byStatus?.scanning ?? 0, n: number(o.byStatus?.scanning ?? 0) })} />}
    </div>
  )
}
