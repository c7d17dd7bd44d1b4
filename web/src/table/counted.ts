// What a list's filters can be set to, counted by the service. Counting reads the whole
// list: so it is asked for when somebody reaches for a filter, and not with each page.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { useSearchParams } from 'react-router'
import { later } from '../api/client'

const stale = 30_000 // ms

/** useCounted loads what filters can be set to once need was called, or when the address has one of those whose values only it has words for. */
export function useCounted<T>(key: string[], load: (signal: AbortSignal) => Promise<T>, named: string[]): { known?: T; failed: boolean; need(): void } {
  const [params] = useSearchParams()
  const [wanted, want] = useState(false)
  const chosen = [...params.keys()].some((name) => named.includes(name.slice(name.lastIndexOf('.') + 1)))
  const { data, isError } = useQuery({ queryKey: key, queryFn: ({ signal }) => later().then(() => load(signal)), staleTime: stale, enabled: wanted || chosen })
  const need = useCallback(() => want(true), [])
  return { known: data, failed: isError, need }
}
