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
  /** undefined of one that has need: they are not known yet. */
  options?: Choice[]
  /** Somebody reaches for the filter, whose options are asked for only then. */
  need?(): void
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

/** What a list asks the service for. */
export interface Asked {
  /** Filters and search as the API takes them. */
  query: Record<string, string | string[]>
  sort: string
  cursor: string
  limit: number
}

export interface ListState extends Asked {
  search: string
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

/**
 * useListState keeps a list's state in the address. Lists in a drawer have a scope, so
 * that they do not meet the page's. ahead is told what will be asked for, before the
 * list is rendered for it.
 */
export function useListState(filters: Filter[], scope = '', fixed?: Record<string, string | string[]>, ahead?: (next: Asked) => void): ListState {
  const [params, setParams] = useSearchParams()
  const location = useLocation()
  const navigate = useNavigate()
  const name = useCallback((parameter: string) => (scope ? `${scope}.${parameter}` : parameter), [scope])
  const known = useMemo(() => filters.flatMap(parametersOf), [filters])

  const queryOf = useCallback((of: URLSearchParams) => {
    const result: Record<string, string | string[]> = { ...fixed }
    for (const filter of filters) {
      for (const parameter of parametersOf(filter)) {
        const value = of.get(name(parameter))
        if (value) result[parameter] = filter.kind === 'choices' ? value.split(',') : value
      }
    }
    const search = of.get(name('search'))
    if (search) result.search = search
    return result
  }, [filters, name, fixed])
  const query = useMemo(() => queryOf(params), [queryOf, params])
  const rest = (of: URLSearchParams) => ({ sort: of.get(name('sort')) ?? '', cursor: of.get(name('cursor')) ?? '', limit: Number(of.get(name('limit'))) || defaultSize })

  const trail = ((location.state as Record<string, string[]> | null)?.[`trail.${scope}`] ?? []) as string[]
  const now = rest(params)

  const set: ListState['set'] = (changes, options) => {
    const changed = (before: URLSearchParams) => {
      const next = new URLSearchParams(before)
      next.delete(name('cursor'))
      for (const [parameter, value] of Object.entries(changes)) {
        const text = Array.isArray(value) ? value.join(',') : value
        if (text) next.set(name(parameter), text)
        else next.delete(name(parameter))
      }
      return next
    }
    const next = changed(params)
    ahead?.({ query: queryOf(next), ...rest(next) })
    setParams(changed, { replace: options?.replace, preventScrollReset: true })
  }

  function to(next: string, nextTrail: string[]) {
    const target = new URLSearchParams(params)
    if (next) target.set(name('cursor'), next)
    else target.delete(name('cursor'))
    ahead?.({ query, ...rest(target) })
    const text = target.toString()
    void navigate({ pathname: location.pathname, search: text ? `?${text}` : '' }, { state: { ...(location.state as object), [`trail.${scope}`]: nextTrail } })
  }

  return {
    query,
    ...now,
    search: params.get(name('search')) ?? '',
    filtered: [...known, 'search'].some((parameter) => params.get(name(parameter))),
    get: (parameter) => params.get(name(parameter)) ?? '',
    values: (parameter) => params.get(name(parameter))?.split(',').filter(Boolean) ?? [],
    set,
    clear: () => set(Object.fromEntries([...known, 'search'].map((parameter) => [parameter, undefined]))),
    next: (following) => to(following, [...trail, now.cursor]),
    // Who came by a link to a later page has no trail: back is the first page then.
    back: now.cursor ? () => to(trail.at(-1) ?? '', trail.slice(0, -1)) : undefined,
  }
}
