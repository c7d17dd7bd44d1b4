// Makes docs/screenshots from the demonstration: node e2e/screenshots.mjs
import { mkdir } from 'node:fs/promises'
import { launch, open } from './browser.mjs'
import { demonstration } from './service.mjs'

const binary = process.env.PRATIQUE_BINARY ?? new URL('../../bin/pratique', import.meta.url).pathname
const into = new URL('../../docs/screenshots/', import.meta.url)

// Pages, and what is to be done on them before they are taken.
const risk = [
  ['overview', '/'],
  ['images', '/images'],
  ['image', '/images/{payments}'],
  ['vulnerability', '/vulnerabilities/CVE-2021-44228'],
]
const operation = [
  ['schedules', '/schedules'],
  ['schedule', '/schedules', async (page) => {
    await page.getByRole('button', { name: 'Nightly', exact: true }).click()
    await page.getByRole('dialog').locator('.preview-list').waitFor()
  }],
  ['quota', '/quota'],
  ['export', '/images', async (page) => {
    const boxes = page.getByRole('checkbox')
    await boxes.nth(1).click()
    await boxes.nth(4).click({ modifiers: ['Shift'] })
    await page.locator('.bulk button').last().click()
    await page.getByRole('dialog').getByText(/5,000,000/).waitFor()
  }],
]

async function take(shots) {
  for (const language of ['en', 'zh']) {
    const { context, page } = await signedIn(language)
    const images = await ask(context.request, 'GET', '/images?search=payments')
    for (const [name, path, act] of shots) {
      await page.goto(demo.base + path.replace('{payments}', images.items[0].id))
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForFunction(() => !document.querySelector('[aria-busy=true], .waiting'))
      await page.waitForTimeout(800)
      await act?.(page)
      await page.waitForTimeout(800)
      await page.screenshot({ path: new URL(`${name}-${language}.png`, into).pathname })
    }
    await context.close()
  }
}

async function signedIn(language) {
  const theme = language === 'en' ? 'light' : 'dark'
  const { context, page } = await open(browser, { language, theme, height: 860 })
  await ask(context.request, 'POST', '/session', { name: 'admin', password: 'demonstration' })
  await ask(context.request, 'PUT', '/preferences/ui', { language, theme, density: 'compact' })
  await page.addInitScript(() => localStorage.setItem('pratique.signedIn', 'true'))
  return { context, page }
}

async function ask(request, method, path, data) {
  const answer = await request.fetch(`${demo.base}/api/v1${path}`, { method, data, headers: { 'X-Requested-With': 'screenshots' } })
  if (!answer.ok()) throw new Error(`${method} ${path}: ${await answer.text()}`)
  return answer.status() === 204 ? undefined : answer.json()
}

/** busy gives the demonstration schedules that have run, and a quota that is used. */
async function busy() {
  const { context } = await signedIn('en')
  const all = { categories: ['vulnerability', 'secret', 'malware'], start: '01:00', scope: 'all' }
  const run = async (id) => {
    await ask(context.request, 'POST', `/schedules/${id}/run`)
    for (let i = 0; i < 120 && !(await ask(context.request, 'GET', `/schedules/${id}`)).last.ended; i++) await new Promise((done) => setTimeout(done, 500))
  }
  await ask(context.request, 'POST', '/schedules', { ...all, name: 'Nightly', enabled: true, everyDays: 1, end: '05:00', zone: 'Asia/Shanghai', filter: { newest: true } })
  await ask(context.request, 'POST', '/schedules', { ...all, name: 'Weekend', enabled: true, weekdays: ['sat', 'sun'], zone: 'Europe/Berlin', filter: { namespaces: ['shop'] } })
  await ask(context.request, 'POST', '/schedules', { ...all, name: 'Twice a month', everyDays: 15, enabled: false, zone: 'UTC', scope: 'recommended' })
  await run(1)
  await ask(context.request, 'PUT', '/quota', { enabled: true, total: 12, auto: { enabled: true, perDay: 4, filter: { newest: true } } })
  await ask(context.request, 'POST', '/quota/licences', { filter: { ids: [1, 2, 3] } })
  await run(2)
  await context.close()
}

await mkdir(into, { recursive: true })
const demo = await demonstration(binary)
const browser = await launch()
try {
  await take(risk)
  await busy()
  await take(operation)
} finally {
  await browser.close()
  await demo.end()
}
