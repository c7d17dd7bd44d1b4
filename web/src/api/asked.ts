// Answers of the service that were asked for before there was anybody to read them.
const patience = 10_000 // ms; after that an answer is no longer news
const kept = new Map<string, { at: number; answer: Promise<Response> }>()

/** named is an address of the API, whatever the order of its parameters. */
function named(address: string): string {
  const url = new URL(address, location.origin)
  url.searchParams.sort()
  return url.pathname + url.search
}

/** keep asks for something, and has the answer wait for whoever takes it. */
export function keep(address: string): Promise<Response> {
  const answer = fetch(address, { credentials: 'same-origin', headers: { 'X-Requested-With': 'console' } })
  answer.catch(() => undefined) // whoever takes it is told
  kept.set(named(address), { at: performance.now(), answer })
  return answer
}

/** take is the answer to a request that was made early, once. */
export function take(request: Request): Promise<Response> | undefined {
  if (kept.size === 0 || request.method !== 'GET') return undefined
  const name = named(request.url)
  const one = kept.get(name)
  kept.delete(name)
  return one && performance.now() - one.at < patience ? one.answer : undefined
}
