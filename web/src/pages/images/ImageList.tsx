import ScanOutlined from '@ant-design/icons/ScanOutlined'
import { useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react'
import { useLocation, useNavigate, useParams, useSearchParams } from 'react-router'
import type { AssetFilter, AssetRow } from '../../api/images'
import { useSession } from '../../app/session'
import { t } from '../../i18n'
import { AssetTable, type AssetTableProps } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import { PageHead } from '../../ui/bits'
import { useQuota } from '../quota/useQuota'
import { Cards } from './Cards'
import { detailOf, nameOf, withSeverity } from './columns'
import { useLiveScans } from './live'
import { chosen, useScans } from './useScans'

const ImageDrawer = lazy(() => import('./ImageDrawer'))
const ScanDialog = lazy(() => import('./ScanDialog'))
const ScheduleDialog = lazy(() => import('../schedules/ScheduleDialog'))
const License = lazy(() => import('../quota/License'))

/** useDialog is which dialog is open: a part of the address, so that a link opens it. */
export function useDialog(): [string | null, (name: string | undefined) => void] {
  const [params, setParams] = useSearchParams()
  const show = (name: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (name) next.set('dialog', name)
      else next.delete('dialog')
      return next
    })
  return [params.get('dialog'), show]
}

type Table = AssetTableProps<AssetRow>

/**
 * A list of images with everything that is done with them: the figures above, scans,
 * schedules, licences, and the details of one. Images of registries and of servers
 * are the same to it but for what is passed.
 */
export function ImageList({ name, title, local, columns, filters, placeholder, exporting, load, empty, head, children }: {
  name: string
  title: string
  local?: boolean
  columns: (options: { search: string; licensed?: boolean }) => Column<AssetRow>[]
  filters: Table['filters']
  placeholder: string
  exporting: Table['exporting']
  load: Table['load']
  empty: Table['empty']
  /** before the buttons that both lists have */
  head: ReactNode
  children?: ReactNode
}) {
  const { may } = useSession()
  const { row, tab } = useParams()
  const location = useLocation()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const live = useLiveScans()
  const scans = useScans()
  const [rows, setRows] = useState<AssetRow[]>([])
  const [licensing, license] = useState<{ filter: AssetFilter; name?: string; done?: () => void }>()
  const [dialog, show] = useDialog()
  const mayScan = may('scan')
  const enforced = useQuota()?.enabled ?? false
  const source = local ? 'local' : undefined

  const all = useMemo<Column<AssetRow>[]>(() => {
    const only = (r: AssetRow): AssetFilter => ({ source, ids: [r.id] })
    return [
      ...columns({ search: location.search, licensed: enforced }),
      {
        key: 'actions', title: t('list.actions'), width: 132, end: true,
        render: (r) => (
          <span className="row nowrap">
            <a href={detailOf(r, '', withSeverity(location.search))}>{t('images.details')}</a>
            {mayScan && (r.status === 'scanning' ? (
              <button type="button" className="plain link" onClick={() => scans.cancel(r.imageID ? { imageIDs: [r.imageID] } : { filter: only(r) }, 1, nameOf(r))}>{t('scan.cancel')}</button>
            ) : r.reason ? null : enforced && !r.licensed && r.imageID ? (
              <button type="button" className="plain link" onClick={() => license({ filter: only(r), name: nameOf(r) })}>{t('quota.license')}</button>
            ) : (
              <button type="button" className="plain link" onClick={() => scans.scan(only(r), 1, nameOf(r))}>{r.status === 'not_scanned' ? t('scan.now') : t('scan.again')}</button>
            ))}
          </span>
        ),
      },
    ]
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the actions of scans are made anew on each render, and do the same
  }, [columns, location.search, mayScan, enforced, source])

  return (
    <>
      <PageHead title={title}>
        {head}
        {mayScan && <Button onClick={() => show('schedule')}>{t('schedule.settings')}</Button>}
        {mayScan && <Button type="primary" icon={<ScanOutlined aria-hidden />} onClick={() => show('scan')}>{t('scan.quick')}</Button>}
      </PageHead>
      <Cards local={local} />
      <AssetTable<AssetRow>
        name={name}
        columns={all}
        filters={filters}
        placeholder={placeholder}
        exporting={exporting}
        load={load}
        decorate={live}
        rowKey={(r) => r.id}
        current={row ? Number(row) : undefined}
        open={(r) => void navigate(detailOf(r, tab, location.search))}
        onRows={setRows}
        bulk={mayScan ? (ticked) => (
          <>
            <Button size="small" onClick={() => scans.scan(chosen(ticked, source), ticked.count, undefined, ticked.clear)}>{t('scan.again')}</Button>
            <Button size="small" onClick={() => scans.cancel({ filter: chosen(ticked, source) }, ticked.count, undefined, ticked.clear)}>{t('scan.cancel')}</Button>
            {enforced && <Button size="small" onClick={() => license({ filter: chosen(ticked, source), done: ticked.clear })}>{t('quota.license')}</Button>}
          </>
        ) : undefined}
        empty={empty}
      />
      <Suspense>
        {row && <ImageDrawer key={row} id={Number(row)} tab={tab} rows={rows} source={source} close={() => void navigate({ pathname: `/${name}`, search: withoutScope(location.search) })} />}
        {dialog === 'scan' && mayScan && <ScanDialog local={local} close={() => show(undefined)} started={(task) => { show(undefined); scans.started(task); void queries.invalidateQueries({ queryKey: [name] }) }} />}
        {dialog === 'schedule' && mayScan && <ScheduleDialog kind={local ? 'local' : 'repository'} close={() => show(undefined)} />}
        {licensing && <License filter={licensing.filter} name={licensing.name} close={(done) => { license(undefined); if (done) licensing.done?.() }} />}
        {children}
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
