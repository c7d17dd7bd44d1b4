import Button from 'antd/es/button'
import { useState, type ReactNode } from 'react'
import { t } from '../i18n'
import { number } from '../lib/format'
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

/** SmallTable shows rows that are all at hand; what is asked for page by page is an AssetTable. */
export function SmallTable<R>({ rows, columns, ...rest }: Props<R>) {
  const [all, setAll] = useState(false)
  return (
    <>
      <DataTable<R> {...rest} rows={all ? rows : rows.slice(0, first)} columns={columns.map((c, i) => ({ key: String(i), ...c }))} />
      {!all && rows.length > first && <Button type="link" onClick={() => setAll(true)}>{t('table.showAll', { n: number(rows.length) })}</Button>}
    </>
  )
}
