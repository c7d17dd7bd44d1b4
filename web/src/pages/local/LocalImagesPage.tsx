import Button from 'antd/es/button'
import { useCallback } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { listLocalImages } from '../../api/hosts'
import { t } from '../../i18n'
import type { Exporting } from '../../table/exporting'
import { ImageList } from '../images/ImageList'
import { localColumns } from './columns'
import { DataUpdate } from './DataUpdate'
import { useLocalFilters } from './filters'

const exporting: Exporting = { kind: 'images', images: { source: 'local' }, also: ['findings', 'packages', 'secrets', 'malware'] }

/** The images that servers have. */
export function Component() {
  const navigate = useNavigate()
  const filters = useLocalFilters()
  const [params] = useSearchParams()
  const priority = params.get('highPriority') === 'true'
  const columns = useCallback((options: { search: string; licensed?: boolean }) => localColumns({ ...options, priority }), [priority])
  return (
    <ImageList
      local
      name="local-images"
      title={t('nav.localImages')}
      columns={columns}
      filters={filters}
      placeholder={t('local.search')}
      exporting={exporting}
      load={listLocalImages}
      empty={{ title: t('local.none'), help: t('local.noneHelp'), action: <Button type="primary" onClick={() => void navigate('/agents?dialog=enrol')}>{t('agent.enrol')}</Button> }}
      head={<DataUpdate />}
    />
  )
}
