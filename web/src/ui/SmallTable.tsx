import Button from 'antd/es/button'
import { useState, type ReactNode } from 'react'
import { t } from '../i18n'
import { number } from '../lib/format'
import { useNarrow } from '../lib/narrow'
import type { Column } from '../table/columns'
import { DataTable } from '../table/DataTable'
import type { RowKey } from '../table/selection'

const first = 20 // rows that are shown until all are asked for

interface Props<R> {
  rows: R[]
  rowKey(row: R): RowKey
  columns: (Omit<Column<R>, 'key'> & { key?: string })[]
  empty?: ReactNode
  /** What there is to say of a row below it, when it is asked for. */
  more?(row: R): ReactNode
  /** px; a taller table scrolls by itself. */
  height?: number
}

/** SmallTable shows rows that are all at hand; what is asked for page by page is an AssetTable. On a telephone each row is a card. */
export function SmallTable<R>({ rows, columns, ...rest }: Props<R>) {
  const [all, setAll] = useState(false)
  const narrow = useNarrow()
  const shown = all ? rows : rows.slice(0, first)
  return (
    <>
      {narrow && rows.length > 0
        ? <Cards<R> {...rest} rows={shown} columns={columns} />
        : <DataTable<R> {...rest} rows={shown} columns={columns.map((c, i) => ({ key: String(i), ...c }))} />}
      {!all && rows.length > first && <Button type="link" onClick={() => setAll(true)}>{t('table.showAll', { n: number(rows.length) })}</Button>}
    </>
  )
}

/** Cards are the rows one below the other, each named by its first column; what there is to say of one stands below it. */
function Cards<R>({ rows, rowKey, columns, more }: Props<R>) {
  const [title, ...others] = columns.filter((c) => c.title)
  return (
    <ul className="cards">
      {rows.map((row) => (
        <li key={rowKey(row)}>
          <div className="grow">
            <strong>{title.render(row)}</strong>
            <dl className="fields">
              {others.map((c, i) => {
                const shown = c.render(row)
                // What cannot be done, or is not known, needs no line here.
                return shown && !(Array.isArray(shown) && shown.length === 0) ? <div key={i} style={{ display: 'contents' }}><dt>{c.title}</dt><dd>{shown}</dd></div> : null
              })}
            </dl>
            {more?.(row)}
          </div>
        </li>
      ))}
    </ul>
  )
}
