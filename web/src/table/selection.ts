// What is ticked: some rows, or all that the filter lets through but for some.
import { useCallback, useState } from 'react'

export type RowKey = string | number

export type Selection =
  | { mode: 'some'; keys: RowKey[] }
  | { mode: 'all'; except: RowKey[] }

export const nothing: Selection = { mode: 'some', keys: [] }

export function countOf(selection: Selection, total: number | undefined): number | undefined {
  if (selection.mode === 'some') return selection.keys.length
  return total === undefined ? undefined : Math.max(0, total - selection.except.length)
}

/** ticked are the rows of a page that are part of a selection. */
export function ticked(selection: Selection, page: RowKey[]): RowKey[] {
  if (selection.mode === 'some') {
    const keys = new Set(selection.keys)
    return page.filter((key) => keys.has(key))
  }
  const except = new Set(selection.except)
  return page.filter((key) => !except.has(key))
}

/** after is the selection once exactly these rows of a page are ticked; other pages stay as they are. */
export function after(selection: Selection, page: RowKey[], now: RowKey[]): Selection {
  const here = new Set(page)
  const on = new Set(now)
  if (selection.mode === 'some') {
    return { mode: 'some', keys: [...selection.keys.filter((key) => !here.has(key)), ...page.filter((key) => on.has(key))] }
  }
  return { mode: 'all', except: [...selection.except.filter((key) => !here.has(key)), ...page.filter((key) => !on.has(key))] }
}

export function toggled(selection: Selection, key: RowKey): Selection {
  const before = ticked(selection, [key]).length > 0
  return after(selection, [key], before ? [] : [key])
}

/** useSelection forgets "all" when the filter changes: all would be others then. */
export function useSelection(filter: string) {
  const [kept, keep] = useState<{ selection: Selection; filter: string }>({ selection: nothing, filter })
  const selection = kept.selection.mode === 'all' && kept.filter !== filter ? nothing : kept.selection
  const select = useCallback((next: Selection) => keep({ selection: next, filter }), [filter])
  return [selection, select] as const
}
