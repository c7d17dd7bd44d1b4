// Chromium as the machine has it, with a profile of its own. Whatever a page says
// in the console as a warning or an error is kept: a test fails because of it.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export async function launch() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
  if (!executablePath) throw new Error('chromium is missing: apt-get install chromium')
  return chromium.launch({ executablePath, headless: true, args: flags })
}

/** open makes a page that speaks a language. Its complaints are what it said in the console, but for those that a test expects. */
export async function open(browser, { language = 'en', theme = 'light', width = 1440, height = 900 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language === 'zh' ? 'zh-CN' : 'en-GB', bypassCSP: false })
  await context.addInitScript(([l, t]) => {
    if (location.origin !== 'null' && !localStorage.getItem('pratique.ui')) localStorage.setItem('pratique.ui', JSON.stringify({ language: l, theme: t, density: 'compact' }))
  }, [language, theme])
  const page = await context.newPage()
  page.setDefaultTimeout(45_000)
  const complaints = []
  page.on('console', (m) => {
    if (['error', 'warning'].includes(m.type())) complaints.push(m.text())
  })
  page.on('pageerror', (e) => complaints.push(e.message))
  return { context, page, complaints }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// The table of the component library measures its columns with a hidden copy of the
// header, check box included.
const ofTheLibrary = [['.ant-table-measure-row']]

/** barriers are violations of WCAG 2.2 A and AA that a machine can find. */
export async function barriers(page) {
  await page.evaluate(axe) // evaluated, because the content policy lets no script be added
  const found = await page.evaluate((exclude) => globalThis.axe.run({ exclude }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }), ofTheLibrary)
  return found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)
}
