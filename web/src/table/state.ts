// The state of a list is its address: filters, search, order, page. Going back goes
// back to the page before, and a link shows the same to whoever may see it.
import { useCallback, useMemo } from 'react'
import { useLocation, useNavigate, useSearchParams } from 'react-router'
import { defaultSize } from './size'

export interface Choice {
  value: string
  label: string
  count?: number
}

export interface Filter {
  /** Parameter of the API and of the address. */
  key: string
  label: string
  /**
   * choices: several values, joined by commas; one: a single value; switch: on or
   * off; dates and sizes: two parameters each; hidden: only by links, shown as a chip.
   */
  kind: 'choices' | 'one' | 'switch' | 'dates' | 'sizes' | 'text' | 'hidden'
  options?: Choice[]
  /** Behind "More filters". */
  more?: boolean
  /** The words of a chip for a value that is not among the options. */
  say?(value: string): string
}

/** parameters of a filter: dates have From and To, sizes min and max. */
export function parametersOf(filter: Filter): string[] {
  const upper = filter.key[0].toUpperCase() + filter.key.slice(1)
  if (filter.kind === 'dates') return [`${filter.key}From`, `${filter.key}To`]
  if (filter.kind === 'sizes') return [`min${upper}`, `max${upper}`]
  return [filter.key]
}

export interface ListState {
  /** Filters and search as the API takes them. */
  query: Record<string, string | string[]>
  search: string
  sort: string
  cursor: string
  limit: number
  filtered: boolean
  get(parameter: string): string
  values(parameter: string): string[]
  /** set changes parameters; the list begins at its first page again. */
  set(changes: Record<string, string | string[] | undefined>, options?: { replace?: boolean }): void
  clear(): void
  /** next and previous page; back is undefined on the first. */
  next(cursor: string): void
  back?: () => void
}

/** useListState keeps a list's state in the address. Lists in a drawer have a scope, so that they do not meet the page's. */
export function useListState(filters: Filter[], scope = '', fixed?: Record<string, string | string[]>): ListState {
  const [params, setParams] = useSearchParams()
  const location = useLocation()
  const navigate = useNavigate()
  const name = useCallback((parameter: string) => (scope ? `${scope}.${parameter}` : parameter), [scope])
  const known = useMemo(() => filters.flatMap(parametersOf), [filters])

  const query = useMemo(() => {
    const result: Record<string, string | string[]> = { ...fixed }
    for (const filter of filters) {
      for (const parameter of parametersOf(filter)) {
        const value = params.get(name(parameter))
        if (value) result[parameter] = filter.kind === 'choices' ? value.split(',') : value
      }
    }
    const search = params.get(name('search'))
    if (search) result.search = search
    return result
  }, [filters, params, name, fixed])

  const trail = ((location.state as Record<string, string[]> | null)?.[`trail.${scope}`] ?? []) as string[]
  const cursor = params.get(name('cursor')) ?? ''

  const set: ListState['set'] = (changes, options) => {
    setParams(
      (before) => {
        const next = new URLSearchParams(before)
        next.delete(name('cursor'))
        for (const [parameter, value] of Object.entries(changes)) {
          const text = Array.isArray(value) ? value.join(',') : value
          if (text) next.set(name(parameter), text)
          else next.delete(name(parameter))
        }
        return next
      },
      { replace: options?.replace, preventScrollReset: true },
    )
  }

  function to(next: string, nextTrail: string[]) {
    const target = new URLSearchParams(params)
    if (next) target.set(name('cursor'), next)
    else target.delete(name('cursor'))
    const text = target.toString()
    void navigate({ pathname: location.pathname, search: text ? `?${text}` : '' }, { state: { ...(location.state as object), [`trail.${scope}`]: nextTrail } })
  }

  return {
    query,
    search: params.get(name('search')) ?? '',
    sort: params.get(name('sort')) ?? '',
    cursor,
    limit: Number(params.get(name('limit'))) || defaultSize,
    filtered: [...known, 'search'].some((parameter) => params.get(name(parameter))),
    get: (parameter) => params.get(name(parameter)) ?? '',
    values: (parameter) => params.get(name(parameter))?.split(',').filter(Boolean) ?? [],
    set,
    clear: () => set(Object.fromEntries([...known, 'search'].map((parameter) => [parameter, undefined]))),
    next: (following) => to(following, [...trail, cursor]),
    // Who came by a link to a later page has no trail: back is the first page then.
    back: cursor ? () => to(trail.at(-1) ?? '', trail.slice(0, -1)) : undefined,
  }
}
