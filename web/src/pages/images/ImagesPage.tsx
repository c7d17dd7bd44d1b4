import ScanOutlined from '@ant-design/icons/ScanOutlined'
import { useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { lazy, Suspense, useMemo, useState } from 'react'
import { Link, useLocation, useNavigate, useParams, useSearchParams } from 'react-router'
import { listImages, type AssetFilter, type AssetRow } from '../../api/images'
import { useSession } from '../../app/session'
import { t } from '../../i18n'
import { AssetTable, type Ticked } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Exporting } from '../../table/exporting'
import { PageHead } from '../../ui/bits'
import { useQuota } from '../quota/useQuota'
import { detailOf, imageColumns } from './columns'
import { useImageFilters } from './filters'
import { Cards } from './Cards'
import { SyncAssets } from './SyncAssets'
import { useLiveScans } from './live'
import { chosen, useScans } from './useScans'

const ImageDrawer = lazy(() => import('./ImageDrawer'))
const ScanDialog = lazy(() => import('./ScanDialog'))
const ScheduleDialog = lazy(() => import('../schedules/ScheduleDialog'))
const License = lazy(() => import('../quota/License'))
const Guide = lazy(() => import('./Guide'))

const exporting: Exporting = { kind: 'images', also: ['findings', 'packages', 'secrets', 'malware'] }

export function Component() {
  const { may } = useSession()
  const { row, tab } = useParams()
  const [params, setParams] = useSearchParams()
  const location = useLocation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const filters = useImageFilters()
  const live = useLiveScans()
  const scans = useScans()
  const [rows, setRows] = useState<AssetRow[]>([])
  const [licensing, license] = useState<{ filter: AssetFilter; name?: string; done?: () => void }>()
  const mayScan = may('scan')
  const enforced = useQuota()?.enabled
  const dialog = params.get('dialog')

  const show = (name: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (name) next.set('dialog', name)
      else next.delete('dialog')
      return next
    })

  const columns = useMemo<Column<AssetRow>[]>(() => [
    ...imageColumns({ search: location.search, licensed: enforced }),
    {
      key: 'actions', title: t('list.actions'), width: 132, end: true,
      render: (r) => (
        <span className="row nowrap">
          <Link to={detailOf(r, '', location.search)}>{t('images.details')}</Link>
          {mayScan && (r.status === 'scanning' ? (
            <button type="button" className="plain link" onClick={() => scans.cancel(r.imageID ? { imageIDs: [r.imageID] } : { filter: { ids: [r.id] } }, 1, `${r.repository}:${r.tag}`)}>{t('scan.cancel')}</button>
          ) : enforced && !r.licensed && r.imageID ? (
            <button type="button" className="plain link" onClick={() => license({ filter: { ids: [r.id] }, name: `${r.repository}:${r.tag}` })}>{t('quota.license')}</button>
          ) : (
            <button type="button" className="plain link" onClick={() => scans.scan({ ids: [r.id] }, 1, `${r.repository}:${r.tag}`)}>{r.status === 'not_scanned' ? t('scan.now') : t('scan.again')}</button>
          ))}
        </span>
      ),
    },
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the actions of scans are made anew on each render, and do the same
  ], [location.search, mayScan, enforced])

  const scanAgain = (ticked: Ticked) => scans.scan(chosen(ticked), ticked.count, undefined, ticked.clear)
  const cancelSome = (ticked: Ticked) => scans.cancel({ filter: chosen(ticked) }, ticked.count, undefined, ticked.clear)

  return (
    <>
      <PageHead title={t('nav.images')}>
        <Button onClick={() => show('guide')}>{t('guide.title')}</Button>
        <Button onClick={() => void navigate('/registries')}>{t('images.manageRegistries')}</Button>
        {may('registries') && <SyncAssets />}
        {mayScan && <Button onClick={() => show('schedule')}>{t('schedule.settings')}</Button>}
        {mayScan && <Button type="primary" icon={<ScanOutlined aria-hidden />} onClick={() => show('scan')}>{t('scan.quick')}</Button>}
      </PageHead>
      <Cards />
      <AssetTable<AssetRow>
        name="images"
        columns={columns}
        filters={filters}
        placeholder={t('images.search')}
        exporting={exporting}
        load={listImages}
        decorate={live}
        rowKey={(r) => r.id}
        current={row ? Number(row) : undefined}
        open={(r) => void navigate(detailOf(r, tab, location.search))}
        onRows={setRows}
        bulk={mayScan ? (ticked) => (
          <>
            <Button size="small" onClick={() => scanAgain(ticked)}>{t('scan.again')}</Button>
            <Button size="small" onClick={() => cancelSome(ticked)}>{t('scan.cancel')}</Button>
            {enforced && <Button size="small" onClick={() => license({ filter: chosen(ticked), done: ticked.clear })}>{t('quota.license')}</Button>}
          </>
        ) : undefined}
        empty={{ title: t('images.none'), help: t('images.noneHelp'), action: <Button type="primary" onClick={() => void navigate('/registries?edit=new')}>{t('registries.add')}</Button> }}
      />
      <Suspense>
        {row && <ImageDrawer key={row} id={Number(row)} tab={tab} rows={rows} close={() => void navigate({ pathname: '/images', search: withoutScope(location.search) })} />}
        {dialog === 'scan' && mayScan && <ScanDialog close={() => show(undefined)} started={(task) => { show(undefined); scans.started(task); void queries.invalidateQueries({ queryKey: ['images'] }) }} />}
        {dialog === 'schedule' && mayScan && <ScheduleDialog kind="repository" close={() => show(undefined)} />}
        {licensing && <License filter={licensing.filter} name={licensing.name} close={(done) => { license(undefined); if (done) licensing.done?.() }} />}
        {dialog === 'guide' && <Guide close={() => show(undefined)} />}
      </Suspense>
    </>
  )
}

/** withoutScope drops the drawer's parameters from the list's address. */
function withoutScope(search: string): string {
  const params = new URLSearchParams(search)
  for (const name of [...params.keys()]) if (name.startsWith('in.') || name === 'v') params.delete(name)
  return params.toString()
}
