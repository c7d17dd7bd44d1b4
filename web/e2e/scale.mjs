// Measures the console with 100 000 repository images: node e2e/scale.mjs [ROWS].
// The database is made once (bench/estate) and kept in .cache/bench. What is over a
// limit of docs/performance.md is marked, and ends it with 1.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { launch, open } from './browser.mjs'
import { Service } from './service.mjs'
import { noShift, painted, settled, watch } from './watch.mjs'

const rows = Number(process.argv[2] ?? 100_000)
const root = new URL('../../', import.meta.url).pathname
const binary = process.env.PRATIQUE_BINARY ?? `${root}bin/pratique`
const folder = `${root}.cache/bench`
const database = process.env.PRATIQUE_ESTATE ?? `${folder}/estate-${rows}.db`
const firstPaint = 1000 // ms
const changeLimit = 300 // ms
// The medians count: the first of a kind may find a browser that has compiled nothing
// yet, or a database that is not in memory.
const loads = 5
const rounds = 3
const password = ['a password', 'for', 'measuring'].join(' ')

if (!existsSync(database)) {
  mkdirSync(folder, { recursive: true })
  console.log(`making ${rows} rows: ${database}`)
  execFileSync('go', ['run', './bench/estate', '-rows', String(rows), database], { cwd: root, stdio: 'inherit' })
}

const service = new Service(binary)
await service.begin(undefined, database)
const browser = await launch()
const { context, page, complaints } = await open(browser)
const watched = await watch(page)
let missed = 0

// On a machine that does other work, the clock says little. So beside it stands what
// the page's own thread computed, which hardly depends on that.
const devtools = await context.newCDPSession(page)
await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
let before = 0
async function computed() {
  const { metrics } = await devtools.send('Performance.getMetrics')
  const now = 1000 * metrics.find((m) => m.name === 'TaskDuration').value
  const since = now - before
  before = now
  return since
}

function line(what, value, limit, unit = 'ms', own = undefined) {
  const bad = value > limit
  if (bad) missed++
  console.log(`  ${what.padEnd(46)} ${unit === 'ms' ? String(Math.round(value)).padStart(8) : value.toFixed(4).padStart(8)} ${unit.padEnd(3)} limit ${String(limit).padStart(6)}  ${bad ? 'MISSED' : 'ok'}${own === undefined ? '' : `  computed ${Math.round(own)} ms`}`)
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/** show opens a page as somebody does who comes by a link, several times. */
async function show(path, wanted) {
  const all = []
  const own = []
  let shift
  for (let i = 0; i < loads; i++) {
    await page.goto('about:blank')
    await computed()
    await page.goto(service.base + path, { waitUntil: 'commit' })
    all.push(await page.evaluate((selector) => new Promise((done, fail) => {
      const look = () => {
        if (/\d/.test(document.querySelector(selector)?.textContent ?? '')) requestAnimationFrame(() => setTimeout(() => done(performance.now())))
        else if (performance.now() > 20_000) fail(new Error(`no ${selector}`))
        else setTimeout(look, 4)
      }
      look()
    }), wanted))
    own.push(await computed())
    await settled(page)
    shift = await watched.shift()
  }
  line(`${path}: useful after`, median(all), firstPaint, 'ms', median(own))
  line(`${path}: layout shift`, shift.sum, noShift, '')
  if (shift.sum > noShift) console.log('   ', shift.of.join('\n    '))
}

/** What changes took, by what they are: one figure for each round. */
const changes = new Map()

/** change measures an action of somebody who looks at a list. */
async function change(what, action, already = 0) {
  await computed()
  const took = await painted(page, action)
  const own = await computed()
  changes.set(what, [...(changes.get(what) ?? []), { took: took - already, own }])
  await settled(page)
}

/** told prints the changes of a page, medians of its rounds. */
function told() {
  for (const [what, all] of changes) line(what, median(all.map((one) => one.took)), changeLimit, 'ms', median(all.map((one) => one.own)))
  changes.clear()
}

async function list(path) {
  await page.goto(service.base + path)
  await page.locator('tr[data-row-key]').first().waitFor()
  await settled(page)
}

const button = (name) => page.getByRole('button', { name, exact: true })
/** choice opens a filter's menu; its time begins with the click on the value. */
async function choice(menu, value) {
  await page.locator('.filter-button', { hasText: menu }).first().click()
  const item = page.getByRole('group', { name: menu }).getByText(value, { exact: true })
  await item.waitFor()
  await page.waitForTimeout(250)
  await change(`filter ${menu}: ${value}`, () => item.click())
  await page.keyboard.press('Escape')
}
const toggle = (name) => change(`filter ${name}`, () => button(name).click())
async function order(name, head) {
  for (const way of ['', ', the other way']) {
    await change(`order by ${name}${way}`, () => head.click())
  }
}
const typingPause = 300 // ms, which the search waits for
const search = (words) => change(`search "${words}", after the typing's pause`, () => page.getByRole('searchbox').fill(words), typingPause)

try {
  const headers = { 'X-Requested-With': 'scale' }
  await context.request.post(`${service.base}/api/v1/session`, { headers, data: { name: 'admin', password: service.password } })
  const changed = await context.request.put(`${service.base}/api/v1/session/password`, { headers, data: { current: service.password, password } })
  if (!changed.ok()) throw new Error(`${changed.status()}: ${await changed.text()}`)
  await page.addInitScript(() => location.origin !== 'null' && localStorage.setItem('pratique.signedIn', 'true'))
  // Every column, so that every order can be asked for.
  console.log(`${rows} rows`)
  for (const [path, wanted] of [
    ['/images', '.asset-table tr[data-row-key]'], ['/', '.stat .value'], ['/vulnerabilities', 'tr[data-row-key]'], ['/components', 'tr[data-row-key]'],
    ['/secrets', 'tr[data-row-key]'], ['/malware', 'tr[data-row-key]'], ['/tasks', 'tr[data-row-key]'], ['/registries', 'tr[data-row-key]'],
  ]) await show(path, wanted)

  for (const [path, filters] of [
    ['/images', [() => choice('Security status', 'At risk'), () => choice('Scan status', 'Scan exception'), () => choice('Repository type', 'quay'), () => choice('Registry', 'production'), () => toggle('Newest only'), () => toggle('High priority only')]],
    ['/vulnerabilities', []], ['/components', []], ['/secrets', []], ['/malware', []],
  ]) {
    console.log(path)
    for (let round = 0; round < rounds; round++) {
      await list(path)
      for (const one of filters) {
        await one()
        await list(path)
      }
      const heads = page.locator('.asset-table thead button.order')
      for (const [i, name] of (await heads.allTextContents()).entries()) await order(name, heads.nth(i))
      await search('gateway')
      if (await button('Next page').isEnabled()) await change('next page', () => button('Next page').click())
    }
    told()
  }
  const heavy = watched.heavy()
  const largest = watched.answers.toSorted((a, b) => b.bytes - a.bytes)[0]
  console.log(`answers: ${watched.answers.length}, the largest ${largest.bytes} bytes: ${largest.path}`)
  for (const text of [...heavy, ...complaints]) {
    missed++
    console.log('  MISSED', text)
  }
} finally {
  await browser.close()
  await service.end()
}
process.exitCode = missed > 0 ? 1 : 0
