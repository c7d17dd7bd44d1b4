// Pages stay true by themselves: an event of the service marks what it concerns as
// out of date, and what is on the screen is asked for again, at most once in a
// while. What an event says itself (a scan's progress) is shown at once.
import { useQueryClient, type QueryKey } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { openStream, type EventData, type EventType } from '../api/events'
import { useSession } from './session'

type Handler = (type: EventType, data: EventData) => void

interface Live {
  /** false while the stream is interrupted; lists are as old as the interruption. */
  connected: boolean
  subscribe(handler: Handler): () => void
}

const Context = createContext<Live | null>(null)

/** Which queries an event makes old, by the first word of their keys. */
const concerns: Record<EventType, string[]> = {
  scan: ['images', 'local-images', 'image', 'content', 'containers', 'scans', 'overview'],
  task: ['tasks', 'task', 'overview', 'schedules', 'schedule.runs', 'quota'],
  sync: ['registries', 'overview', 'syncs'],
  feed: ['feeds', 'overview'],
  export: ['exports'],
  inventory: ['local-images', 'image', 'hosts', 'containers', 'overview'],
  fleet: ['hosts', 'agents', 'agent-tokens', 'overview'],
  dataUpdate: ['data-update', 'hosts', 'local-images', 'containers', 'overview'],
  reset: [],
}

const patience = 1500 // ms between two refreshes of the same list

export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const { session } = useSession()
  const [connected, setConnected] = useState(true)
  const handlers = useRef(new Set<Handler>())
  const userID = session.user.id
  const first = useRef(session.event)

  useEffect(() => {
    const due = new Map<string, ReturnType<typeof setTimeout>>()
    let down: ReturnType<typeof setTimeout> | undefined

    function later(word: string) {
      if (due.has(word)) return
      due.set(word, setTimeout(() => {
        due.delete(word)
        void queries.invalidateQueries({ queryKey: [word] as QueryKey })
      }, patience))
    }

    const stream = openStream(
      first.current,
      (type, data) => {
        for (const handler of handlers.current) handler(type, data)
        if (type === 'reset') void queries.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'preference' })
        else concerns[type].forEach(later)
      },
      (up) => {
        clearTimeout(down)
        // A short interruption is nobody's business.
        if (up) setConnected(true)
        else down = setTimeout(() => setConnected(false), 2500)
      },
    )
    return () => {
      stream.close()
      clearTimeout(down)
      due.forEach((timer) => clearTimeout(timer))
    }
  }, [queries, userID])

  const value = useMemo<Live>(
    () => ({
      connected,
      subscribe(handler) {
        handlers.current.add(handler)
        return () => void handlers.current.delete(handler)
      },
    }),
    [connected],
  )
  return <Context.Provider value={value}>{children}</Context.Provider>
}

export function useLive(): Live {
  const value = useContext(Context)
  if (!value) throw new Error('useLive outside of LiveProvider')
  return value
}

/** useEvents calls a handler for each event while a component is on the screen. */
export function useEvents(handler: Handler): void {
  const { subscribe } = useLive()
  const latest = useRef(handler)
  useEffect(() => {
    latest.current = handler
  })
  useEffect(() => subscribe((type, data) => latest.current(type, data)), [subscribe])
}
