// What users choose for themselves. The service keeps it per user; the browser
// remembers language, theme and density, so that the sign-in page has them, too.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { api, body } from '../api/client'
import { setLanguage } from '../i18n'
import { remember } from '../lib/store'
import { first, type Ui } from './ui'

export type { Ui }

/** initialLanguage is the one to load before anything is shown. */
export const initialLanguage = () => first().language

interface UiContext {
  ui: Ui
  dark: boolean
  change(part: Partial<Ui>): void
  /** take what the service has kept, without storing it again. */
  adopt(part: Partial<Ui>): void
}

const Context = createContext<UiContext | null>(null)

export function useUi(): UiContext {
  const value = useContext(Context)
  if (!value) throw new Error('useUi outside of UiProvider')
  return value
}

function systemDark(): boolean {
  return window.matchMedia('(prefers-color-scheme: dark)').matches
}

export function UiProvider({ children }: { children: ReactNode }) {
  const [ui, setUi] = useState(first)
  const [system, setSystem] = useState(systemDark)
  const dark = ui.theme === 'dark' || (ui.theme === 'system' && system)

  useEffect(() => {
    const query = window.matchMedia('(prefers-color-scheme: dark)')
    const follow = () => setSystem(query.matches)
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [])

  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }, [dark])

  const adopt = useCallback((part: Partial<Ui>) => {
    setUi((before) => {
      const next = { ...before, ...part }
      if (JSON.stringify(next) === JSON.stringify(before)) return before
      remember('ui', next)
      return next
    })
    if (part.language) void setLanguage(part.language)
  }, [])

  const change = useCallback(
    (part: Partial<Ui>) => {
      adopt(part)
      const next = { ...first(), ...part }
      // Before anybody is signed in there is nobody to keep it for.
      void savePreference('ui', next).catch(() => undefined)
    },
    [adopt],
  )

  const value = useMemo(() => ({ ui, dark, change, adopt }), [ui, dark, change, adopt])
  return <Context.Provider value={value}>{children}</Context.Provider>
}

function savePreference(name: string, value: unknown): Promise<unknown> {
  return api.PUT('/api/v1/preferences/{name}', { params: { path: { name } }, body: value as never })
}

export async function loadPreference<T>(name: string): Promise<T | null> {
  return ((await body(api.GET('/api/v1/preferences/{name}', { params: { path: { name } } }))) as T | undefined) ?? null
}

/**
 * usePreference is a value that the service keeps for the user. Until it is there,
 * and when it cannot be had, it is the given one.
 */
export function usePreference<T>(name: string, otherwise: T): [T, (value: T | null) => Promise<void>, boolean] {
  const queries = useQueryClient()
  const key = useMemo(() => ['preference', name], [name])
  const query = useQuery({ queryKey: key, queryFn: () => loadPreference<T>(name), staleTime: Infinity })
  const set = useCallback(
    async (value: T | null) => {
      queries.setQueryData(key, value)
      await savePreference(name, value)
    },
    [queries, key, name],
  )
  return [query.data ?? otherwise, set, !query.isPending]
}
