import { useSyncExternalStore } from 'react'

const query = '(max-width: 640px)'

/** useNarrow tells whether the window is as narrow as a telephone. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (tell) => {
      const list = window.matchMedia(query)
      list.addEventListener('change', tell)
      return () => list.removeEventListener('change', tell)
    },
    () => window.matchMedia(query).matches,
  )
}
