import { useMemo } from 'react'
import { listImageContainers, type ContainerRow } from '../../../api/hosts'
import { t } from '../../../i18n'
import { AssetTable } from '../../../table/AssetTable'
import { containerColumns, useContainerFilters } from '../../containers/columns'
import type { TabProps } from '../ImageDrawer'

/** ContainersTab are the containers of the image. */
export default function ContainersTab({ row }: TabProps) {
  const filters = useContainerFilters()
  const columns = useMemo(() => containerColumns().filter((c) => !['image', 'risks'].includes(c.key)), [])
  return (
    <AssetTable<ContainerRow>
      name="image.containers"
      of={[row.id]}
      scope="in"
      columns={columns}
      filters={filters}
      placeholder={t('container.search')}
      load={(query, signal) => listImageContainers(row.id, query, signal)}
      rowKey={(c) => c.rowID}
      empty={{ title: t('container.none'), help: t('container.noneOfImage') }}
    />
  )
}
