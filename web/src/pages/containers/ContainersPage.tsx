import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { listContainers, listHosts, type ContainerRow } from '../../api/hosts'
import { t, tx, useLanguage } from '../../i18n'
import { AssetTable } from '../../table/AssetTable'
import type { Filter } from '../../table/state'
import { PageHead } from '../../ui/bits'
import { DataUpdate } from '../local/DataUpdate'
import { containerColumns, useContainerFilters } from './columns'

const risks = ['at_risk', 'none', 'unknown']

/** The containers of all servers. */
export function Component() {
  const navigate = useNavigate()
  const language = useLanguage()
  const own = useContainerFilters()
  const hosts = useQuery({ queryKey: ['hosts', 'names'], queryFn: ({ signal }) => listHosts({ limit: 200, sort: 'name' }, signal), staleTime: 60_000 })
  const filters = useMemo<Filter[]>(() => {
    void language // the words below are in it
    return [
      ...own,
      { key: 'host', label: t('host.one'), kind: 'choices', options: (hosts.data?.items ?? []).map((h) => ({ value: h.id, label: h.name })) },
      { key: 'risk', label: t('images.security'), kind: 'choices', options: risks.map((value) => ({ value, label: tx('risk', value) })) },
      { key: 'engine', label: t('host.engine'), kind: 'choices', options: ['docker', 'containerd', 'podman'].map((value) => ({ value, label: tx('engine', value) })), more: true },
      { key: 'imageID', label: t('images.imageID'), kind: 'hidden' },
      { key: 'vulnerability', label: t('images.vulnerability'), kind: 'hidden' },
    ]
  }, [own, hosts.data, language])
  const columns = useMemo(() => containerColumns(), [])
  return (
    <>
      <PageHead title={t('nav.containers')}><DataUpdate /></PageHead>
      <AssetTable<ContainerRow>
        name="containers"
        columns={columns}
        filters={filters}
        placeholder={t('container.search')}
        exporting={{ kind: 'containers' }}
        load={listContainers}
        rowKey={(c) => c.rowID}
        empty={{ title: t('container.none'), help: t('container.noneHelp'), action: <Button onClick={() => void navigate('/agents?dialog=enrol')}>{t('agent.enrol')}</Button> }}
      />
    </>
  )
}
