// What a list's filters can be set to, counted by the service. Counting reads the whole
// list: so it is asked for when somebody reaches for a filter, and not with each page.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'
import { later } from '../api/client'
import type { Filter } from './state'

const stale = 30_000 // ms

export interface Counted<T> {
  known?: T
  failed: boolean
  need(): void
}

/** useCounted loads what filters can be set to once need was called, or when the address has one of those whose values only it has words for. */
export function useCounted<T>(key: string[], load: (signal: AbortSignal) => Promise<T>, named: string[] = []): Counted<T> {
  const [params] = useSearchParams()
  const [wanted, want] = useState(false)
  const chosen = [...params.keys()].some((name) => named.includes(name.slice(name.lastIndexOf('.') + 1)))
  const { data, isError } = useQuery({ queryKey: key, queryFn: ({ signal }) => later().then(() => load(signal)), staleTime: stale, enabled: wanted || chosen })
  const need = useCallback(() => want(true), [])
  return useMemo(() => ({ known: data, failed: isError, need }), [data, isError, need])
}

/** facet is the part of a filter that is counted, with words for values that have none of their own. */
export function facet<T>({ known, failed, need }: Counted<T>, name: keyof T, word?: (value: string) => string): Pick<Filter, 'options' | 'need' | 'say'> {
  const all = known?.[name] as { value: string; label?: string; count: number }[] | null | undefined
  const options = all?.map((f) => ({ value: f.value, label: word?.(f.value) ?? (f.label || f.value || '–'), count: f.count }))
  return { options: options ?? (known || failed ? [] : undefined), need, say: word }
}
