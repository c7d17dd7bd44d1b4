import ScanOutlined from '@ant-design/icons/ScanOutlined'
import { useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { lazy, Suspense, useMemo, useState } from 'react'
import { Link, useLocation, useNavigate, useParams, useSearchParams } from 'react-router'
import { listLocalImages } from '../../api/hosts'
import type { AssetFilter, AssetRow } from '../../api/images'
import { useSession } from '../../app/session'
import { t } from '../../i18n'
import { AssetTable, type Ticked } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Exporting } from '../../table/exporting'
import { PageHead } from '../../ui/bits'
import { Cards } from '../images/Cards'
import { detailOf, nameOf, withSeverity } from '../images/columns'
import { useLiveScans } from '../images/live'
import { chosen, useScans } from '../images/useScans'
import { useQuota } from '../quota/useQuota'
import { localColumns } from './columns'
import { DataUpdate } from './DataUpdate'
import { useLocalFilters } from './filters'

const ImageDrawer = lazy(() => import('../images/ImageDrawer'))
const ScanDialog = lazy(() => import('../images/ScanDialog'))
const ScheduleDialog = lazy(() => import('../schedules/ScheduleDialog'))
const License = lazy(() => import('../quota/License'))

const exporting: Exporting = { kind: 'images', images: { source: 'local' }, also: ['findings', 'packages', 'secrets', 'malware'] }

/** The images that servers have. */
export function Component() {
  const { may } = useSession()
  const { row, tab } = useParams()
  const [params, setParams] = useSearchParams()
  const location = useLocation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const filters = useLocalFilters()
  const live = useLiveScans()
  const scans = useScans()
  const [rows, setRows] = useState<AssetRow[]>([])
  const [licensing, license] = useState<{ filter: AssetFilter; name?: string; done?: () => void }>()
  const mayScan = may('scan')
  const enforced = useQuota()?.enabled
  const dialog = params.get('dialog')
  const priority = params.get('highPriority') === 'true'

  const show = (name: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (name) next.set('dialog', name)
      else next.delete('dialog')
      return next
    })

  const columns = useMemo<Column<AssetRow>[]>(() => {
    const only = (r: AssetRow): AssetFilter => ({ source: 'local', ids: [r.id] })
    return [
      ...localColumns({ search: location.search, licensed: enforced, priority }),
      {
        key: 'actions', title: t('list.actions'), width: 132, end: true,
        render: (r) => (
          <span className="row nowrap">
            <Link to={detailOf(r, '', withSeverity(location.search))}>{t('images.details')}</Link>
            {mayScan && (r.status === 'scanning' ? (
              <button type="button" className="plain link" onClick={() => scans.cancel(r.imageID ? { imageIDs: [r.imageID] } : { filter: only(r) }, 1, nameOf(r))}>{t('scan.cancel')}</button>
            ) : r.reason ? null : enforced && !r.licensed ? (
              <button type="button" className="plain link" onClick={() => license({ filter: only(r), name: nameOf(r) })}>{t('quota.license')}</button>
            ) : (
              <button type="button" className="plain link" onClick={() => scans.scan(only(r), 1, nameOf(r))}>{r.status === 'not_scanned' ? t('scan.now') : t('scan.again')}</button>
            ))}
          </span>
        ),
      },
    ]
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the actions of scans are made anew on each render, and do the same
  }, [location.search, mayScan, enforced, priority])

  const of = (ticked: Ticked) => chosen(ticked, 'local')

  return (
    <>
      <PageHead title={t('nav.localImages')}>
        <DataUpdate />
        {mayScan && <Button onClick={() => show('schedule')}>{t('schedule.settings')}</Button>}
        {mayScan && <Button type="primary" icon={<ScanOutlined aria-hidden />} onClick={() => show('scan')}>{t('scan.quick')}</Button>}
      </PageHead>
      <Cards local />
      <AssetTable<AssetRow>
        name="local-images"
        columns={columns}
        filters={filters}
        placeholder={t('local.search')}
        exporting={exporting}
        load={listLocalImages}
        decorate={live}
        rowKey={(r) => r.id}
        current={row ? Number(row) : undefined}
        open={(r) => void navigate(detailOf(r, tab, location.search))}
        onRows={setRows}
        bulk={mayScan ? (ticked) => (
          <>
            <Button size="small" onClick={() => scans.scan(of(ticked), ticked.count, undefined, ticked.clear)}>{t('scan.again')}</Button>
            <Button size="small" onClick={() => scans.cancel({ filter: of(ticked) }, ticked.count, undefined, ticked.clear)}>{t('scan.cancel')}</Button>
            {enforced && <Button size="small" onClick={() => license({ filter: of(ticked), done: ticked.clear })}>{t('quota.license')}</Button>}
          </>
        ) : undefined}
        empty={{ title: t('local.none'), help: t('local.noneHelp'), action: <Button type="primary" onClick={() => void navigate('/agents?dialog=enrol')}>{t('agent.enrol')}</Button> }}
      />
      <Suspense>
        {row && <ImageDrawer key={row} id={Number(row)} tab={tab} rows={rows} source="local" close={() => void navigate({ pathname: '/local-images', search: withoutScope(location.search) })} />}
        {dialog === 'scan' && mayScan && <ScanDialog local close={() => show(undefined)} started={(task) => { show(undefined); scans.started(task); void queries.invalidateQueries({ queryKey: ['local-images'] }) }} />}
        {dialog === 'schedule' && mayScan && <ScheduleDialog kind="local" close={() => show(undefined)} />}
        {licensing && <License filter={licensing.filter} name={licensing.name} close={(done) => { license(undefined); if (done) licensing.done?.() }} />}
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
