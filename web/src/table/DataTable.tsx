// A table as HTML has it: a head that stays in sight, columns that stay at the
// edges when it is wider than its place, rows that can be ticked. Lists show fifty
// rows of a dozen columns and change with every filter, so a row costs what its
// cells cost, and is rendered again only when something of its own has changed.
import DownOutlined from '@ant-design/icons/DownOutlined'
import RightOutlined from '@ant-design/icons/RightOutlined'
import { memo, useDeferredValue, useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type ReactNode } from 'react'
import { t } from '../i18n'
import type { Column } from './columns'
import type { RowKey } from './selection'

export interface DataTableProps<R> {
  rows: R[]
  columns: Column<R>[]
  rowKey(row: R): RowKey
  /** Instead of rows, when there are none. */
  empty?: ReactNode
  comfortable?: boolean
  /** Places of rows that stand out: the one that is open, the one that keys act on. */
  active?: number[]
  /** Keys of the rows that are ticked; undefined: rows cannot be ticked. */
  ticked?: RowKey[]
  onTick?(keys: RowKey[]): void
  /** The order as the API has it: a column's sort, after "-" when it begins with the largest. */
  order?: string
  onOrder?(order: string | undefined): void
  /** What there is to say of a row below it, when it is asked for; undefined: nothing. */
  more?(row: R): ReactNode
  /** px; a taller table scrolls by itself. */
  height?: number
}

const tickWidth = 40 // px
const rowHeight = 33 // px, about
const screenful = 24 // rows
const usual = 140 // px of a column that names no width

export function DataTable<R>(props: DataTableProps<R>) {
  const { rows, columns, rowKey, active, ticked, more } = props
  const [opened, setOpened] = useState<RowKey[]>([])
  const sides = [...(ticked ? ['tick'] : []), ...(more ? ['more'] : [])]
  const width = columns.reduce((sum, c) => sum + (c.width ?? usual), sides.length * tickWidth)
  const { frame, wide } = useWide(width)
  const keys = rows.map(rowKey)
  const on = new Set(ticked)
  const below = useBelow(rows, rowKey)

  // What rows are told to do is looked up when they do it, so that they need not be
  // rendered again because of it.
  const last = useRef(-1)
  const now = useRef<Acts>({ tick: () => undefined, open: () => undefined })
  useEffect(() => {
    now.current = {
      tick(at, range) {
        const from = range && last.current >= 0 ? Math.min(at, last.current) : at
        const to = range && last.current >= 0 ? Math.max(at, last.current) : at
        const span = keys.slice(from, to + 1)
        last.current = at
        props.onTick?.(on.has(keys[at]) ? keys.filter((key) => on.has(key) && !span.includes(key)) : keys.filter((key) => on.has(key) || span.includes(key)))
      },
      open: (key) => setOpened((before) => (before.includes(key) ? before.filter((one) => one !== key) : [...before, key])),
    }
  })
  const [acts] = useState<Acts>(() => ({ tick: (at, range) => now.current.tick(at, range), open: (key) => now.current.open(key) }))

  return (
    <div ref={frame} className={`table-frame${wide || props.height ? ' wide' : ''}`} style={props.height ? { maxHeight: props.height } : undefined} {...((wide || props.height) && { tabIndex: 0, role: 'region', 'aria-label': t('table.scrolls') })}>
      <table className={`table${props.comfortable ? ' comfortable' : ''}${sides.length > 0 ? ' sided' : ''}`} style={{ minWidth: width, '--side': `${sides.length * tickWidth}px` } as CSSProperties}>
        <colgroup>
          {sides.map((side) => <col key={side} style={{ width: tickWidth }} />)}
          {columns.map((c) => <col key={c.key} style={{ width: c.width }} />)}
        </colgroup>
        <thead>
          <tr>
            {ticked && <th className="side"><TickAll some={on.size > 0 && on.size < keys.length} all={keys.length > 0 && on.size === keys.length} change={(all) => props.onTick?.(all ? keys : [])} /></th>}
            {more && <th className="side"><span className="visually-hidden">{t('table.more')}</span></th>}
            {columns.map((c) => <Head key={c.key} column={c as Column<unknown>} order={props.order} onOrder={props.onOrder} />)}
          </tr>
        </thead>
        <tbody>
          {rows.length === 0 && <tr className="none"><td colSpan={columns.length + sides.length}>{props.empty}</td></tr>}
          {(below > 0 ? rows.slice(0, screenful) : rows).map((row, i) => (
            <Row<R>
              key={keys[i]}
              id={keys[i]}
              at={i}
              row={row}
              columns={columns}
              active={active?.includes(i) ?? false}
              ticked={ticked && on.has(keys[i])}
              more={more}
              open={opened.includes(keys[i])}
              acts={acts}
            />
          ))}
          {below > 0 && <tr aria-hidden style={{ height: below * rowHeight }}><td colSpan={columns.length + sides.length} /></tr>}
        </tbody>
      </table>
    </div>
  )
}

interface Acts {
  /** tick changes a row, and with range all from the one that was changed before. */
  tick(at: number, range: boolean): void
  open(key: RowKey): void
}

interface RowProps<R> {
  id: RowKey
  at: number
  row: R
  columns: Column<R>[]
  active: boolean
  ticked: boolean | undefined
  more?(row: R): ReactNode
  open: boolean
  acts: Acts
}

function RowOf<R>({ id, at, row, columns, active, ticked, more, open, acts }: RowProps<R>) {
  const below = more?.(row)
  return (
    <>
      <tr data-row-key={id} className={active ? 'row-active' : ticked ? 'row-ticked' : undefined}>
        {ticked !== undefined && (
          <td className="side">
            <label className="tick"><input type="checkbox" checked={ticked} aria-label={t('list.tick')} onChange={(e) => acts.tick(at, (e.nativeEvent as MouseEvent).shiftKey)} /></label>
          </td>
        )}
        {more && (
          <td className="side">
            {below && <button type="button" className="plain opener" aria-expanded={open} aria-label={t('table.more')} onClick={() => acts.open(id)}>{open ? <DownOutlined aria-hidden /> : <RightOutlined aria-hidden />}</button>}
          </td>
        )}
        {columns.map((c) => <td key={c.key} className={placeOf(c)}>{c.render(row)}</td>)}
      </tr>
      {open && below && <tr className="below"><td colSpan={columns.length + (ticked === undefined ? 1 : 2)}>{below}</td></tr>}
    </>
  )
}

const Row = memo(RowOf) as typeof RowOf

function placeOf<R>(c: Column<R>): string | undefined {
  const classes = [c.align, c.locked && 'start', c.end && 'end', c.wraps && 'wraps'].filter(Boolean)
  return classes.length > 0 ? classes.join(' ') : undefined
}

/** Head is a column's name; where one can sort by it, a press goes from one order to the other, and then to none. */
function Head({ column: c, order = '', onOrder }: { column: Column<unknown>; order?: string; onOrder?(order: string | undefined): void }) {
  if (!c.sort || !onOrder) return <th scope="col" className={placeOf(c)}>{c.title}</th>
  const now = order.replace(/^-/, '') !== c.sort ? 'none' : order.startsWith('-') ? 'descending' : 'ascending'
  const ways = c.desc ? ['none', 'descending', 'ascending'] : ['none', 'ascending', 'descending']
  const next = ways[(ways.indexOf(now) + 1) % ways.length]
  return (
    <th scope="col" className={placeOf(c)} aria-sort={now === 'none' ? undefined : now as 'ascending' | 'descending'}>
      <button type="button" className={`plain order ${now}`} onClick={() => onOrder(next === 'none' ? undefined : next === 'descending' ? `-${c.sort}` : c.sort)}>
        <span>{c.title}</span>
      </button>
    </th>
  )
}

function TickAll({ some, all, change }: { some: boolean; all: boolean; change(all: boolean): void }) {
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (box.current) box.current.indeterminate = some
  }, [some])
  return <label className="tick"><input ref={box} type="checkbox" checked={all} aria-label={t('list.tickPage')} onChange={() => change(!all)} /></label>
}

const none: never[] = []

/**
 * useBelow is how many rows of a new list are left for a moment later: what the
 * screen shows is painted first. Rows that were there before stay where they are.
 */
function useBelow<R>(rows: R[], rowKey: (row: R) => RowKey): number {
  const before = useDeferredValue(rows, none)
  if (before === rows || rows.length <= screenful) return 0
  const known = new Set(before.map(rowKey))
  return rows.slice(screenful).some((row) => known.has(rowKey(row))) ? 0 : rows.length - screenful
}

/** useWide tells whether a table is wider than its place. */
function useWide(width: number) {
  const frame = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState(Infinity)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setPlace(entry.contentRect.width))
    if (frame.current) observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])
  return { frame, wide: width > Math.ceil(place) }
}
