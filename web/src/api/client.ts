// The one way to the API. The types come from what the service says of itself
// (schema.ts); errors become ApiError, with the service's code and remedy.
import createClient, { type Middleware } from 'openapi-fetch'
import { take } from './asked'
import type { components, paths } from './schema'

/** A type of the API by its name in the description. */
export type Schema<K extends keyof components['schemas']> = components['schemas'][K]

export interface Page<T> {
  items: T[]
  next?: string
  total?: number
}

/** What went wrong, as the service told it, or why it could not be asked. */
export class ApiError extends Error {
  readonly status: number // 0: there was no answer
  readonly code: string
  readonly remedy?: string
  readonly requestID?: string
  readonly retryAfter?: number // seconds
  readonly params: Record<string, unknown>
  /** By the field of the form that is at fault: "address" for "body.address". */
  readonly fields: Record<string, string>

  constructor(status: number, body: Partial<Schema<'ProblemDetails'>>, retryAfter?: number) {
    super(body.detail || body.title || `HTTP ${status}`)
    this.status = status
    this.code = body.code || (status === 0 ? 'offline' : 'internal')
    this.remedy = body.remedy || undefined
    this.requestID = body.requestID || undefined
    this.retryAfter = retryAfter
    this.params = body.params ?? {}
    this.fields = {}
    for (const e of body.errors ?? []) {
      if (e.location?.startsWith('body.')) this.fields[e.location.slice('body.'.length)] = e.message ?? this.message
    }
  }
}

type Listener = (error: ApiError) => void
const listeners = new Set<Listener>()

/** onSessionEnd is told when the service says that nobody is signed in any longer. */
export function onSessionEnd(listener: Listener): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

// It looks at answers alone: one that waited for its turn with questions would have
// them sent only after whatever is rendered next.
const middleware: Middleware = {
  async onResponse({ response }) {
    if (response.ok || response.status === 304) return response
    let body: Partial<Schema<'ProblemDetails'>> = {}
    try {
      body = (await response.json()) as Partial<Schema<'ProblemDetails'>>
    } catch {
      // A proxy's page, not the service's answer: the status has to do.
      body = { code: response.status >= 502 ? 'unavailable' : 'internal', title: response.statusText }
    }
    const error = new ApiError(response.status, body, Number(response.headers.get('Retry-After')) || undefined)
    if (error.code === 'sign_in_required') for (const tell of listeners) tell(error)
    throw error
  },
  onError({ error }) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === 'AbortError')) return
    return new ApiError(0, { code: 'offline', detail: 'the service does not answer' })
  },
}

export const api = createClient<paths>({
  baseUrl: '',
  credentials: 'same-origin',
  headers: { 'X-Requested-With': 'console' },
  fetch: (request) => take(request) ?? fetch(request),
  // The service reads several values of one parameter separated by commas.
  querySerializer: { array: { style: 'form', explode: false } },
})
api.use(middleware)

/** The lists that are on their way. */
const lists = new Set<Promise<unknown>>()

/** first marks a list's answer as what people wait for. */
export function first<T>(answer: Promise<T>): Promise<T> {
  const known = answer.catch(() => undefined).finally(() => lists.delete(known))
  lists.add(known)
  return answer
}

/**
 * later is over when the lists that people wait for are there and on the screen. What
 * counts them, or names what they could be filtered by, is asked for then: the service
 * would else do everything at once, and the rows came last.
 */
export async function later(): Promise<void> {
  await new Promise((done) => setTimeout(done)) // whatever begins together has begun
  while (lists.size > 0) await Promise.all(lists)
  await new Promise((done) => ('requestIdleCallback' in window ? requestIdleCallback(done, { timeout: 500 }) : setTimeout(done, 50)))
}

/** body returns an answer's body; failures have been thrown by then. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}
