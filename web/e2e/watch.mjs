// What people feel of a list: how long it takes until rows are painted, how much an
// answer weighs, whether anything jumps.

/** largest answer of a list, in bytes, before compression */
export const largestAnswer = 200_000

/** shift that counts as none: Chromium's own pages have as much */
export const noShift = 0.01

/** ofAPI are addresses of questions; the stream of events is none. */
const ofAPI = (pathname) => pathname.startsWith('/api/') && pathname !== '/api/v1/events'

/** watch has a page's layout shifts and answers noted from its next navigation on. */
export async function watch(page) {
  await page.addInitScript(() => {
    globalThis.shifts = []
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        // What moves because somebody just clicked or typed is meant to move.
        if (!entry.hadRecentInput) globalThis.shifts.push({ value: entry.value, of: entry.sources.map((s) => s.node?.className || s.node?.nodeName).join(', ') })
      }
    }).observe({ type: 'layout-shift', buffered: true })
  })
  const answers = []
  const asked = [] // of the document that is open
  const open = new Set()
  let last = 0 // when something was asked, or answered
  page.on('request', (request) => {
    if (request.isNavigationRequest()) asked.length = 0
    const { pathname, search } = new URL(request.url())
    if (!ofAPI(pathname)) return
    if (request.method() === 'GET') asked.push(pathname + search)
    open.add(request)
    last = Date.now()
  })
  const over = (request) => { if (open.delete(request)) last = Date.now() }
  page.on('requestfinished', over)
  page.on('requestfailed', over)
  page.on('response', async (response) => {
    const { pathname, search } = new URL(response.url())
    if (!ofAPI(pathname) || !response.ok()) return
    const type = response.headers()['content-type'] ?? ''
    if (!type.includes('json')) return
    const body = await response.body().catch(() => undefined) // the page went on
    if (body) answers.push({ path: pathname + search, bytes: body.length })
  })
  return {
    answers,
    /** idle waits until the page asks for nothing any more. */
    async idle() {
      for (const end = Date.now() + 30_000; open.size > 0 || Date.now() - last < 1000; await page.waitForTimeout(50)) {
        if (Date.now() > end) throw new Error(`still asking for ${[...open].map((r) => r.url())}`)
      }
    },
    /** twice is what this document has asked for more than once. */
    twice: () => asked.filter((one, i) => asked.indexOf(one) < i),
    /** heavy are answers that are larger than a list's may be. */
    heavy: () => answers.filter((a) => a.bytes > largestAnswer).map((a) => `${a.path}: ${a.bytes} bytes`),
    /** shift of this document so far, and what moved. */
    shift: () => page.evaluate(() => ({ sum: globalThis.shifts.reduce((sum, s) => sum + s.value, 0), of: globalThis.shifts.map((s) => `${s.value.toFixed(4)} ${s.of}`) })),
  }
}

/** painted is how long it takes, in ms, from the first input of an action until the list has painted its new rows. */
export async function painted(page, action) {
  await page.evaluate(() => {
    const list = document.querySelector('.asset-table')
    let from = 0
    const begin = (e) => (from ||= e.timeStamp)
    const kinds = ['click', 'input', 'keydown']
    for (const kind of kinds) addEventListener(kind, begin, { capture: true })
    globalThis.painted = new Promise((done, fail) => {
      setTimeout(() => fail(new Error('no new rows')), 20_000)
      let busy = list.getAttribute('aria-busy') === 'true'
      const observer = new MutationObserver((records) => {
        // Both changes may come at once, when the answer was there already.
        busy ||= records.some((r) => r.oldValue === 'true')
        if (list.getAttribute('aria-busy') === 'true') busy = true
        else if (busy) {
          observer.disconnect()
          for (const kind of kinds) removeEventListener(kind, begin, { capture: true })
          // The frame that shows it is done when a task after it runs.
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel()
            port1.onmessage = () => done(performance.now() - from)
            port2.postMessage(0)
          })
        }
      })
      observer.observe(list, { attributes: true, attributeFilter: ['aria-busy'], attributeOldValue: true })
    })
  })
  await action()
  return page.evaluate(() => globalThis.painted)
}

/** settled waits until nothing on the page waits for an answer. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true], .waiting, .list-progress.on'))
  await page.waitForTimeout(150)
}
