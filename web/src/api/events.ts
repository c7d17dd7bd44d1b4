// The stream of events: what changed, as it happens. It says that something
// changed; the operations of the API say how things are.

export type EventType = 'scan' | 'task' | 'sync' | 'feed' | 'export' | 'inventory' | 'fleet' | 'dataUpdate' | 'reset'
export type EventData = Record<string, unknown>
type Listener = (type: EventType, data: EventData) => void

export interface Stream {
  close(): void
}

/**
 * openStream listens until it is closed. The browser comes back by itself after a
 * lost connection; when it gives up (the service answered with an error), we do.
 * After each interruption the listener gets "reset": events may have been missed.
 * It begins after an event that the session names, with which what is on the screen
 * was asked for.
 */
export function openStream(after: string, listen: Listener, connected: (up: boolean) => void): Stream {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait = 1000 // ms until the next try of ours
  let broken = false
  let closed = false

  function open() {
    source = new EventSource(`/api/v1/events?after=${encodeURIComponent(after)}`)
    source.onopen = () => {
      wait = 1000
      connected(true)
      if (broken) listen('reset', {})
      broken = false
    }
    source.onerror = () => {
      if (closed) return
      broken = true
      connected(false)
      if (source?.readyState === EventSource.CLOSED) {
        timer = setTimeout(open, wait)
        wait = Math.min(wait * 2, 15_000)
      }
    }
    for (const type of ['scan', 'task', 'sync', 'feed', 'export', 'inventory', 'fleet', 'dataUpdate', 'reset'] as const) {
      source.addEventListener(type, (e: MessageEvent<string>) => {
        try {
          listen(type, JSON.parse(e.data) as EventData)
        } catch {
          listen('reset', {})
        }
      })
    }
  }
  open()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      source?.close()
    },
  }
}
