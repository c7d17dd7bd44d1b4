import { useMemo } from 'react'
import { listImageHosts, type HostRow } from '../../../api/hosts'
import { t } from '../../../i18n'
import { AssetTable } from '../../../table/AssetTable'
import { hostColumns, useHostFilters } from '../../hosts/columns'
import type { TabProps } from '../ImageDrawer'

/** HostsTab are the servers that have the image. */
export default function HostsTab({ row }: TabProps) {
  const filters = useHostFilters()
  const columns = useMemo(() => hostColumns().map((c) => ({ ...c, optional: c.optional || ['images', 'atRisk', 'containers', 'running', 'problems'].includes(c.key) })), [])
  return (
    <AssetTable<HostRow>
      name="image.hosts"
      of={[row.id]}
      scope="in"
      columns={columns}
      filters={filters}
      placeholder={t('host.search')}
      load={(query, signal) => listImageHosts(row.id, query, signal)}
      rowKey={(h) => h.id}
      empty={{ title: t('host.none'), help: t('host.noneOfImage') }}
    />
  )
}
