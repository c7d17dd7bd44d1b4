// Which columns a list shows, and in which order: chosen by the user, kept by the
// service. Columns that the program has learned since stand where it puts them.
import type { ReactNode } from 'react'

export interface Column<R> {
  key: string
  title: string
  render(row: R): ReactNode
  /** The API's name of it, if one can sort by it. */
  sort?: string
  /** Sorting begins with the largest. */
  desc?: boolean
  width?: number
  align?: 'right' | 'center'
  /** Text may take several lines. */
  wraps?: boolean
  /** Not shown unless it is chosen. */
  optional?: boolean
  /** Stays at the right edge, however wide the table is. */
  end?: boolean
  /** Always there, always first. */
  locked?: boolean
}

export interface Choice {
  order: string[]
  hidden: string[]
}

export function arranged<R>(columns: Column<R>[], choice: Choice | null): { column: Column<R>; shown: boolean }[] {
  const rank = new Map(choice?.order.map((key, i) => [key, i]))
  const hidden = new Set(choice?.hidden)
  // A column that the choice does not know follows the one before it in the program.
  let last = -1
  const ranked = columns.map((column, i) => {
    const known = rank.get(column.key)
    if (known !== undefined) last = known
    return { column, at: column.locked ? -1 : (known ?? last + 0.5), i, shown: column.locked || (choice && known !== undefined ? !hidden.has(column.key) : !column.optional) }
  })
  return ranked.sort((a, b) => a.at - b.at || a.i - b.i).map(({ column, shown }) => ({ column, shown: shown === true }))
}
