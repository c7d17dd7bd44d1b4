// Every list of the console: filters, search, order and page in the address,
// columns as the user wants them, rows that can be ticked over many pages, keys.
import ExportOutlined from '@ant-design/icons/ExportOutlined'
import SettingOutlined from '@ant-design/icons/SettingOutlined'
import ReloadOutlined from '@ant-design/icons/ReloadOutlined'
import LeftOutlined from '@ant-design/icons/LeftOutlined'
import RightOutlined from '@ant-design/icons/RightOutlined'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Tooltip from 'antd/es/tooltip'
import { lazy, Suspense, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { first, later, type Page } from '../api/client'
import { usePreference, useUi } from '../app/preferences'
import { t } from '../i18n'
import { number } from '../lib/format'
import { useKeys } from '../lib/keys'
import { useNarrow } from '../lib/narrow'
import { Empty } from '../ui/Empty'
import { ErrorNote } from '../ui/ErrorNote'
import { arranged, type Choice, type Column } from './columns'
import { hasTicks, type Exporting } from './exporting'
import { FilterBar } from './FilterBar'
import { Rows, type Acts } from './Rows'
import { countOf, nothing, ticked, toggled, useSelection, type RowKey, type Selection } from './selection'
import { defaultSize, pageSizes } from './size'
import { useListState, type Asked, type Filter, type ListState } from './state'

const ExportDialog = lazy(() => import('./ExportDialog'))
const ColumnSettings = lazy(() => import('./ColumnSettings')) as unknown as typeof import('./ColumnSettings').default

export type ListQuery = Record<string, string | string[] | number | boolean>

export interface Ticked {
  selection: Selection
  /** How many rows; undefined while the list is being counted. */
  count?: number
  /** The list's filter, as the API takes it: what "all" means. */
  query: ListState['query']
  clear(): void
}

export interface AssetTableProps<R> {
  /** First word of the query's key and of the columns' preference. */
  name: string
  /** Further words of the key, where a list is part of something ("image", id). */
  of?: (string | number)[]
  columns: Column<R>[]
  filters?: Filter[]
  /** Parameters that are always there. */
  fixed?: Record<string, string | string[]>
  load(query: ListQuery, signal: AbortSignal): Promise<Page<R>>
  rowKey(row: R): RowKey
  searchable?: boolean
  placeholder?: string
  /** Prefix of the list's parameters in the address, in a drawer or a tab. */
  scope?: string
  /** What is known of a row since it was loaded. */
  decorate?(row: R): R
  /** Told of the rows that are on the screen. */
  onRows?(rows: R[]): void
  /** The row that is open elsewhere. */
  current?: RowKey
  open?(row: R): void
  bulk?(ticked: Ticked): ReactNode
  tools?: ReactNode
  /** What the list is as a file; the button for it is here. */
  exporting?: Exporting
  /** What to say, and to do, when there is nothing at all. */
  empty: { title: string; help: string; action?: ReactNode }
  refetchInterval?: (page: Page<R> | undefined) => number | false
}

const stale = 10_000

export function AssetTable<R extends object>(props: AssetTableProps<R>) {
  const { name, of = [], columns, filters = [], load, rowKey, searchable = true, open, bulk, exporting } = props
  const ticks = bulk !== undefined || (exporting !== undefined && hasTicks(exporting.kind))
  const client = useQueryClient()
  const pageOf = ({ query, sort, cursor, limit }: Asked) => {
    const request: ListQuery = { ...query, limit, ...(sort && { sort }), ...(cursor && { cursor }) }
    return { queryKey: [name, ...of, 'list', request], queryFn: ({ signal }: { signal: AbortSignal }) => first(load(request, signal)), staleTime: stale }
  }
  const state = useListState(filters, props.scope, props.fixed, (next) => void client.prefetchQuery(pageOf(next)))
  const { ui } = useUi()
  const narrow = useNarrow()
  const [choice, setChoice, choiceKnown] = usePreference<Choice | null>(`columns.${name}`, null)
  const [settings, setSettings] = useState(false)
  const [exports, setExports] = useState(false)
  const [at, setAt] = useState(-1) // the row that keys act on
  const body = useRef<HTMLDivElement>(null)

  const page = useQuery({
    ...pageOf(state),
    placeholderData: keepPreviousData,
    refetchInterval: props.refetchInterval ? (q) => props.refetchInterval?.(q.state.data) ?? false : false,
  })
  // Counted apart, and later, so that no page waits for it; what is on one page is counted.
  const onePage = page.data && !page.isPlaceholderData && !page.data.next && !state.cursor ? page.data.items.length : undefined
  const count = useQuery<number>({
    queryKey: [name, ...of, 'count', state.query],
    queryFn: ({ signal }) => later().then(() => load({ ...state.query, limit: 1, total: true }, signal)).then((p) => p.total ?? 0),
    placeholderData: keepPreviousData,
    staleTime: stale,
    enabled: page.data !== undefined && !page.isPlaceholderData && onePage === undefined,
  })
  const { decorate, onRows } = props
  const rows = useMemo(() => {
    const items = page.data?.items ?? []
    return decorate ? items.map(decorate) : items
  }, [page.data, decorate])
  useEffect(() => onRows?.(rows), [onRows, rows])
  const keys = useMemo(() => rows.map(rowKey), [rows, rowKey])
  const [selection, select] = useSelection(JSON.stringify(state.query))
  const total = onePage ?? count.data
  const chosen = countOf(selection, total)
  const focused = at < rows.length ? at : -1

  function move(step: number) {
    const next = Math.max(0, Math.min(rows.length - 1, focused + step))
    setAt(next)
    body.current?.querySelector(`[data-row-key="${CSS.escape(String(keys[next]))}"]`)?.scrollIntoView({ block: 'nearest' })
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    n: () => page.data?.next && state.next(page.data.next),
    p: () => state.back?.(),
    x: () => ticks && focused >= 0 && select(toggled(selection, keys[focused])),
    Enter: (e) => {
      // A focused link or button has the key for itself.
      if (document.activeElement instanceof HTMLElement && document.activeElement.closest('a, button, [role=button]')) {
        if (document.activeElement instanceof HTMLElement) document.activeElement.click()
        return
      }
      e.preventDefault()
      if (open && focused >= 0) open(rows[focused])
    },
  })

  const shown = useMemo(() => arranged(columns, choice).filter((c) => c.shown).map((c) => c.column), [columns, choice])
  const order = (sort: string | undefined) => state.set({ sort })

  const acts = useRef<Acts>({ order, select })
  useEffect(() => {
    acts.current = { order, select }
  })

  // Rows would jump if the columns that the user wants came after them.
  const early = page.isPending || !choiceKnown
  const waiting = early || page.isPlaceholderData
  const emptyNote = state.filtered
    ? <Empty title={t('list.nothingFound')} help={t('list.nothingFoundHelp')} action={<Button onClick={state.clear}>{t('list.clearAll')}</Button>} />
    : <Empty {...props.empty} />

  let content: ReactNode
  if (page.error && !page.data) {
    content = <div style={{ padding: 12 }}><ErrorNote error={page.error} retry={() => void page.refetch()} /></div>
  } else if (narrow) {
    content = early ? <Waiting /> : rows.length === 0 ? emptyNote : (
      <Cards rows={rows} columns={shown} keys={keys} ticks={ticks ? new Set(ticked(selection, keys)) : undefined} tick={(key) => select(toggled(selection, key))} current={props.current} />
    )
  } else {
    content = early ? <Waiting /> : (
      <Rows<R>
        rows={rows}
        rowKey={rowKey}
        columns={shown}
        order={state.sort}
        comfortable={ui.density === 'comfortable'}
        current={props.current}
        focused={focused}
        selection={ticks ? selection : undefined}
        empty={emptyNote}
        waiting={waiting}
        acts={acts}
      />
    )
  }

  return (
    <section className="panel asset-table" aria-busy={waiting} ref={body}>
      <FilterBar filters={filters} state={state} searchable={searchable} placeholder={props.placeholder}>
        {props.tools}
        <Tooltip title={t('common.refresh')}>
          <Button icon={<ReloadOutlined aria-hidden />} aria-label={t('common.refresh')} onClick={() => { void page.refetch(); if (onePage === undefined) void count.refetch() }} />
        </Tooltip>
        {exporting && (
          <Tooltip title={t('export.title')}>
            <Button icon={<ExportOutlined aria-hidden />} aria-label={t('export.title')} disabled={total === 0} onClick={() => setExports(true)} />
          </Tooltip>
        )}
        <Tooltip title={t('columns.title')}>
          <Button icon={<SettingOutlined aria-hidden />} aria-label={t('columns.title')} onClick={() => setSettings(true)} />
        </Tooltip>
      </FilterBar>
      {ticks && chosen !== 0 && (
        <div className="bulk" role="region" aria-label={t('list.selection')}>
          <span aria-live="polite"><strong>{chosen === undefined ? '…' : t('list.selected', { count: chosen, n: number(chosen) })}</strong></span>
          {selection.mode === 'some' && total !== undefined && total > selection.keys.length && (
            <Button type="link" size="small" onClick={() => select({ mode: 'all', except: [] })}>{t('list.selectAll', { n: number(total) })}</Button>
          )}
          <Button type="link" size="small" onClick={() => select(nothing)}>{t('list.clearSelection')}</Button>
          <span className="row wrap" style={{ marginLeft: 'auto' }}>
            {bulk?.({ selection, count: chosen, query: state.query, clear: () => select(nothing) })}
            {exporting && <Button size="small" onClick={() => setExports(true)}>{t('export.ok')}</Button>}
          </span>
        </div>
      )}
      <div className={`list-progress${waiting || page.isFetching ? ' on' : ''}`} />
      {content}
      {/* Unseen until there are rows: it would jump to their end. */}
      <div className="list-foot" style={early ? { visibility: 'hidden' } : undefined}>
        <span aria-live="polite">{total === undefined ? '…' : t('list.total', { count: total, n: number(total) })}</span>
        {page.error && page.data && <span className="tag bad">{t('list.stale')}</span>}
        <div className="pages">
          <label className="row" style={{ gap: 4 }}>
            {t('list.perPage')}
            <select className="native-select" value={state.limit} onChange={(e) => state.set({ limit: e.target.value === String(defaultSize) ? undefined : e.target.value })}>
              {pageSizes.map((n) => <option key={n} value={n}>{n}</option>)}
            </select>
          </label>
          <Button icon={<LeftOutlined aria-hidden />} disabled={!state.back} onClick={state.back} aria-label={t('list.previous')} />
          <Button icon={<RightOutlined aria-hidden />} disabled={!page.data?.next || page.isPlaceholderData} onClick={() => page.data?.next && state.next(page.data.next)} aria-label={t('list.next')} />
        </div>
      </div>
      <Suspense>
        {exporting && exports && <ExportDialog exporting={exporting} list={{ query: state.query, sort: state.sort, columns: shown.map((c) => c.key), selection }} total={total} close={() => setExports(false)} />}
        {settings && <ColumnSettings columns={columns} choice={choice} save={(next) => void setChoice(next)} close={() => setSettings(false)} />}
      </Suspense>
    </section>
  )
}

/** Waiting has the height of some rows, so that nothing jumps when they come. */
function Waiting() {
  return <div className="waiting" role="status"><span className="visually-hidden">{t('common.loading')}</span>{Array.from({ length: 10 }, (_, i) => <i key={i} />)}</div>
}

interface CardsProps<R> {
  rows: R[]
  columns: Column<R>[]
  keys: RowKey[]
  ticks?: Set<RowKey>
  tick(key: RowKey): void
  current?: RowKey
}

/** Cards show rows where a table would be wider than the screen. */
function Cards<R>({ rows, columns, keys, ticks, tick, current }: CardsProps<R>) {
  const [title, ...rest] = columns
  return (
    <ul className="cards">
      {rows.map((row, i) => (
        <li key={keys[i]} data-row-key={keys[i]} className={keys[i] === current ? 'row-active' : ''}>
          {ticks && <Checkbox checked={ticks.has(keys[i])} onChange={() => tick(keys[i])} aria-label={t('list.tick')} />}
          <div className="grow">
            {title.render(row)}
            <dl className="fields">
              {rest.map((c) => (
                <div key={c.key} style={{ display: 'contents' }}>
                  <dt>{c.title}</dt>
                  <dd>{c.render(row)}</dd>
                </div>
              ))}
            </dl>
          </div>
        </li>
      ))}
    </ul>
  )
}
