// The rows of a list as a table. They stay as they are while the rows that will
// take their place are on their way, whatever else of the list has changed by then.
import { memo, type RefObject } from 'react'
import { DataTable, type DataTableProps } from './DataTable'
import { after, ticked, type RowKey, type Selection } from './selection'

export interface Acts {
  order(order: string | undefined): void
  select(next: Selection): void
}

interface Props<R> extends Pick<DataTableProps<R>, 'rows' | 'rowKey' | 'columns' | 'order' | 'comfortable' | 'empty'> {
  current?: RowKey
  focused: number
  /** undefined: rows cannot be ticked. */
  selection?: Selection
  /** Other rows are on their way. */
  waiting: boolean
  /** What to do, as of the last render of the list. */
  acts: RefObject<Acts>
}

function RowsOf<R>({ current, focused, selection, acts, rows, rowKey, ...rest }: Props<R>) {
  const keys = rows.map(rowKey)
  return (
    <DataTable<R>
      {...rest}
      rows={rows}
      rowKey={rowKey}
      active={[focused, current === undefined ? -1 : keys.indexOf(current)]}
      ticked={selection && ticked(selection, keys)}
      onTick={(now) => selection && acts.current.select(after(selection, keys, now))}
      onOrder={(order) => acts.current.order(order)}
    />
  )
}

function same<R>(before: Props<R>, next: Props<R>): boolean {
  if (before.selection !== next.selection || before.focused !== next.focused || before.current !== next.current) return false
  if (next.waiting) return true
  return before.rows === next.rows && next.rows.length > 0 && before.columns === next.columns && before.order === next.order && before.comfortable === next.comfortable
}

export const Rows = memo(RowsOf, same) as typeof RowsOf
