// One image over the list: its own address, a tab for each kind of finding, and the
// images before and after it in the list by [ and ].
import LeftOutlined from '@ant-design/icons/LeftOutlined'
import RightOutlined from '@ant-design/icons/RightOutlined'
import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import Drawer from 'antd/es/drawer'
import Dropdown from 'antd/es/dropdown'
import { lazy, Suspense, useState, type ComponentType } from 'react'
import { Link, useLocation, useNavigate } from 'react-router'
import { getContent, getImage, type AssetRow, type Content } from '../../api/images'
import { useSession } from '../../app/session'
import { currentLanguage, spoken, t, type Key } from '../../i18n'
import { compact } from '../../lib/format'
import { useKeys } from '../../lib/keys'
import { useNarrow } from '../../lib/narrow'
import { unlisted } from '../../table/exporting'
import { Spoken, totalOf } from '../../ui/bits'
import { Empty } from '../../ui/Empty'
import { ErrorNote } from '../../ui/ErrorNote'
import { useQuota } from '../quota/useQuota'
import { Badges, detailOf, nameOf } from './columns'
import { useLiveScans } from './live'
import { ScanStatus } from './ScanStatus'
import { Summary } from './Summary'
import { useScans } from './useScans'

const ExportDialog = lazy(() => import('../../table/ExportDialog'))
const License = lazy(() => import('../quota/License'))

export interface TabProps {
  row: AssetRow
  content: Content
}

/** of is for what hosts have: shown where a host has the image, whether its content is known or not. */
const tabs: { key: string; label: Key; count?: (c: Content) => number; of?: (r: AssetRow) => number; page: ComponentType<TabProps> }[] = [
  { key: '', label: 'detail.summary' satisfies Key, page: Summary },
  { key: 'vulnerabilities', label: 'category.vulnerability' satisfies Key, count: (c) => totalOf(c.counters.vulnerabilities), page: lazy(() => import('./tabs/VulnerabilitiesTab')) },
  { key: 'malware', label: 'category.malware' satisfies Key, count: (c) => totalOf(c.counters.malware), page: lazy(() => import('./tabs/MalwareTab')) },
  { key: 'secrets', label: 'category.secret' satisfies Key, count: (c) => totalOf(c.counters.secrets), page: lazy(() => import('./tabs/SecretsTab')) },
  { key: 'components', label: 'nav.components' satisfies Key, count: (c) => c.counters.packages, page: lazy(() => import('./tabs/ComponentsTab')) },
  { key: 'hosts', label: 'nav.hosts' satisfies Key, of: (r) => r.hosts, page: lazy(() => import('./tabs/HostsTab')) },
  { key: 'containers', label: 'nav.containers' satisfies Key, of: (r) => r.containers, page: lazy(() => import('./tabs/ContainersTab')) },
  { key: 'history', label: 'detail.history' satisfies Key, page: lazy(() => import('./tabs/HistoryTab')) },
  { key: 'compare', label: 'detail.compare' satisfies Key, page: lazy(() => import('./tabs/CompareTab')) },
  { key: 'changes', label: 'detail.changes' satisfies Key, page: lazy(() => import('./tabs/ChangesTab')) },
]

interface Props {
  id: number
  tab?: string
  rows: AssetRow[]
  /** Where the list is that the drawer is over. */
  source?: 'local'
  close(): void
}

export default function ImageDrawer({ id, tab = '', rows, source, close }: Props) {
  const narrow = useNarrow()
  const navigate = useNavigate()
  const location = useLocation()
  const live = useLiveScans()
  const asked = useQuery({ queryKey: ['image', id], queryFn: () => getImage(id), placeholderData: rows.find((r) => r.id === id) })
  const row = asked.data && live(asked.data)
  const content = useQuery({ queryKey: ['content', row?.imageID, 'summary'], queryFn: () => getContent(row?.imageID ?? ''), enabled: !!row?.imageID })

  const index = rows.findIndex((r) => r.id === id)
  const near = (step: number) => (index < 0 ? undefined : rows[index + step])
  const go = (target: AssetRow | undefined) => target && void navigate(detailOf({ id: target.id, source }, tab, plain(location.search)), { replace: true })
  useKeys({ '[': () => go(near(-1)), ']': () => go(near(1)) })

  const here = tabs.find((x) => x.key === tab) ?? tabs[0]
  return (
    <Drawer
      open
      size={narrow ? '100%' : 'min(1080px, 88vw)'}
      onClose={close}
      styles={{ body: { padding: 0, display: 'flex', flexDirection: 'column' }, header: { padding: '10px 16px' } }}
      title={row ? <span className="row wrap" style={{ gap: 6 }}><span style={{ overflowWrap: 'anywhere' }}>{nameOf(row)}</span><Badges row={row} newest /></span> : asked.error ? t('nav.images') : t('common.loading')}
      extra={row && (
        <span className="row" style={{ gap: 4 }}>
          <Button type="text" icon={<LeftOutlined aria-hidden />} disabled={!near(-1)} onClick={() => go(near(-1))} aria-label={t('detail.previous')} title={`${t('detail.previous')} [`} />
          <Button type="text" icon={<RightOutlined aria-hidden />} disabled={!near(1)} onClick={() => go(near(1))} aria-label={t('detail.next')} title={`${t('detail.next')} ]`} />
          {!narrow && <Actions row={row} />}
        </span>
      )}
    >
      {asked.error && !row && <div style={{ padding: 16 }}><ErrorNote error={asked.error} retry={() => void asked.refetch()} /></div>}
      {row && (
        <>
          {narrow && <div style={{ padding: '8px 16px 0' }}><Actions row={row} /></div>}
          <nav className="tabs" aria-label={t('detail.tabs')}>
            {tabs.filter((x) => !x.of || x.of(row) > 0 || x.key === tab || source).map((x) => {
              const n = x.of ? x.of(row) : content.data && x.count?.(content.data)
              return (
                <Link key={x.key} ref={x.key === here.key ? intoView : undefined} to={detailOf({ id, source }, x.key, plain(location.search))} replace aria-current={x.key === here.key ? 'page' : undefined}>
                  {t(x.label)}{n !== undefined && <span className="num">{compact(n)}</span>}
                </Link>
              )
            })}
          </nav>
          <div className="tab-body">
            {row.reason && row.imageID && <div className="note warn" style={{ marginBottom: 12 }}><p><strong>{t('local.cannot')}</strong> <Spoken text={row.reason} /></p></div>}
            {row.status === 'scanning' && <div className="note info" style={{ marginBottom: 12 }}><div className="grow" style={{ maxWidth: 260 }}><ScanStatus row={row} /></div></div>}
            {here.of ? (
              <Suspense fallback={<div className="waiting"><i /><i /><i /><i /></div>}><here.page row={row} content={content.data as Content} /></Suspense>
            ) : !row.imageID ? <Empty title={row.reason ? t('local.cannot') : t('detail.unread')} help={row.reason ? spoken(row.reason).text : t('detail.unreadHelp')} /> : content.error ? <ErrorNote error={content.error} retry={() => void content.refetch()} /> : content.data && (
              <Suspense fallback={<div className="waiting"><i /><i /><i /><i /></div>}>
                <here.page row={row} content={content.data} />
              </Suspense>
            )}
          </div>
        </>
      )}
    </Drawer>
  )
}

/** intoView scrolls the row of tabs, where it is narrower than they are, to the one that is shown. */
function intoView(tab: HTMLElement | null) {
  const row = tab?.parentElement
  if (tab && row && row.scrollWidth > row.clientWidth) row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2
}

/** plain drops the filters of a tab: another tab, or another image, begins without them. */
function plain(search: string): string {
  const params = new URLSearchParams(search)
  for (const name of [...params.keys()]) if (name.startsWith('in.') || name === 'v') params.delete(name)
  return params.toString()
}

const formats: { format: string; label: Key }[] = [
  { format: 'html', label: 'detail.html' satisfies Key },
  { format: 'json', label: 'detail.json' satisfies Key },
  { format: 'cyclonedx', label: 'detail.cyclonedx' satisfies Key },
  { format: 'spdx', label: 'detail.spdx' satisfies Key },
]

function Actions({ row }: { row: AssetRow }) {
  const { may } = useSession()
  const scans = useScans()
  const quota = useQuota()
  const [exports, setExports] = useState(false)
  const [licensing, license] = useState(false)
  const name = nameOf(row)
  const filter = { ...(row.source === 'local' && { source: row.source }), ids: [row.id] }
  return (
    <span className="row">
      {row.imageID && row.scannedAt && (
        <Dropdown trigger={['click']} menu={{ items: [
          ...formats.map((f) => ({ key: f.format, label: <a href={`/api/v1/contents/${row.imageID}/report?format=${f.format}&lang=${currentLanguage()}`} download>{t(f.label)}</a> })),
          { type: 'divider' as const },
          { key: 'export', label: t('detail.export'), onClick: () => setExports(true) },
        ] }}>
          <Button>{t('detail.download')}</Button>
        </Dropdown>
      )}
      {may('scan') && quota?.enabled && !row.licensed && row.imageID && <Button onClick={() => license(true)}>{t('quota.license')}</Button>}
      {may('scan') && (row.status === 'scanning'
        ? <Button onClick={() => scans.cancel(row.imageID ? { imageIDs: [row.imageID] } : { filter }, 1, name)}>{t('scan.cancel')}</Button>
        : <Button type="primary" disabled={!!row.reason} onClick={() => scans.scan(filter, 1, name)}>{row.status === 'not_scanned' ? t('scan.now') : t('scan.again')}</Button>)}
      <Suspense>
        {exports && row.imageID && <ExportDialog exporting={{ kind: 'findings', images: { imageIDs: [row.imageID] }, also: ['packages', 'secrets', 'malware'] }} list={unlisted} close={() => setExports(false)} />}
        {licensing && <License filter={filter} name={name} close={() => license(false)} />}
      </Suspense>
    </span>
  )
}
