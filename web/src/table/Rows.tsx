// The rows of a list as a table. Rendering fifty of them is most of what a list
// costs, so that happens when something of theirs has changed; not because a count
// came, and not while the rows that will take their place are on their way.
import Table from 'antd/es/table'
import type { ColumnType, SorterResult } from 'antd/es/table/interface'
import { memo, type ReactNode, type RefObject } from 'react'
import { t } from '../i18n'
import { after, ticked, type RowKey, type Selection } from './selection'

export interface Acts<R> {
  sorted(sorter: SorterResult<R> | SorterResult<R>[]): void
  select(next: Selection): void
}

interface Props<R> {
  rows: R[]
  rowKey(row: R): RowKey
  columns: ColumnType<R>[]
  width: number
  compact: boolean
  /** In a drawer, whose head scrolls with it. */
  scoped: boolean
  current?: RowKey
  focused: number
  /** undefined: rows cannot be ticked. */
  selection?: Selection
  empty: ReactNode
  /** Other rows are on their way. */
  waiting: boolean
  /** What to do, as of the last render of the list. */
  acts: RefObject<Acts<R>>
}

function RowsOf<R extends object>({ rows, rowKey, columns, width, compact, scoped, current, focused, selection, empty, acts }: Props<R>) {
  const keys = rows.map(rowKey)
  return (
    <Table<R>
      size={compact ? 'small' : 'middle'}
      rowKey={rowKey}
      columns={columns}
      dataSource={rows}
      pagination={false}
      tableLayout="fixed"
      scroll={{ x: width }}
      sticky={scoped ? false : { getContainer: () => document.getElementById('main') ?? window }}
      locale={{ emptyText: empty }}
      onChange={(_p, _f, sorter, { action }) => action === 'sort' && acts.current.sorted(sorter)}
      rowClassName={(_row, i) => (keys[i] === current || i === focused ? 'row-active' : '')}
      rowSelection={selection && {
        selectedRowKeys: ticked(selection, keys),
        columnWidth: 40,
        onChange: (now) => acts.current.select(after(selection, keys, now as RowKey[])),
        getCheckboxProps: () => ({ 'aria-label': t('list.tick') }),
      }}
    />
  )
}

function same<R>(before: Props<R>, next: Props<R>): boolean {
  if (before.selection !== next.selection || before.focused !== next.focused || before.current !== next.current) return false
  if (next.waiting) return true
  return before.rows === next.rows && next.rows.length > 0 && before.columns === next.columns && before.width === next.width && before.compact === next.compact
}

export const Rows = memo(RowsOf, same) as typeof RowsOf
