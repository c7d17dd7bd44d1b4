import Button from 'antd/es/button'
import { lazy } from 'react'
import { useNavigate } from 'react-router'
import { listImages } from '../../api/images'
import { useSession } from '../../app/session'
import { t } from '../../i18n'
import type { Exporting } from '../../table/exporting'
import { imageColumns } from './columns'
import { useImageFilters } from './filters'
import { ImageList, useDialog } from './ImageList'
import { SyncAssets } from './SyncAssets'

const Guide = lazy(() => import('./Guide'))

const exporting: Exporting = { kind: 'images', also: ['findings', 'packages', 'secrets', 'malware'] }

/** The images of registries. */
export function Component() {
  const { may } = useSession()
  const navigate = useNavigate()
  const filters = useImageFilters()
  const [dialog, show] = useDialog()
  return (
    <ImageList
      name="images"
      title={t('nav.images')}
      columns={imageColumns}
      filters={filters}
      placeholder={t('images.search')}
      exporting={exporting}
      load={listImages}
      empty={{ title: t('images.none'), help: t('images.noneHelp'), action: <Button type="primary" onClick={() => void navigate('/registries?edit=new')}>{t('registries.add')}</Button> }}
      head={
        <>
          <Button onClick={() => show('guide')}>{t('guide.title')}</Button>
          <Button onClick={() => void navigate('/registries')}>{t('images.manageRegistries')}</Button>
          {may('registries') && <SyncAssets />}
        </>
      }
    >
      {dialog === 'guide' && <Guide close={() => show(undefined)} />}
    </ImageList>
  )
}
