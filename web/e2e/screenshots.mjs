// Makes docs/screenshots from the demonstration: node e2e/screenshots.mjs
import { mkdir } from 'node:fs/promises'
import { launch, open } from './browser.mjs'
import { demonstration } from './service.mjs'

const binary = process.env.PRATIQUE_BINARY ?? new URL('../../bin/pratique', import.meta.url).pathname
const into = new URL('../../docs/screenshots/', import.meta.url)

const shots = [
  ['overview', '/'],
  ['images', '/images'],
  ['image', '/images/{payments}'],
  ['vulnerability', '/vulnerabilities/CVE-2021-44228'],
]

await mkdir(into, { recursive: true })
const demo = await demonstration(binary)
const browser = await launch()
try {
  for (const language of ['en', 'zh']) {
    const { context, page } = await open(browser, { language, theme: language === 'en' ? 'light' : 'dark', height: 860 })
    const headers = { 'X-Requested-With': 'screenshots' }
    await context.request.post(`${demo.base}/api/v1/session`, { headers, data: { name: 'admin', password: 'demonstration' } })
    await context.request.put(`${demo.base}/api/v1/preferences/ui`, { headers, data: { language, theme: language === 'en' ? 'light' : 'dark', density: 'compact' } })
    await page.addInitScript(() => localStorage.setItem('pratique.signedIn', 'true'))
    const images = await (await context.request.get(`${demo.base}/api/v1/images?search=payments`)).json()
    for (const [name, path] of shots) {
      await page.goto(demo.base + path.replace('{payments}', images.items[0].id))
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForFunction(() => !document.querySelector('[aria-busy=true], .waiting'))
      await page.waitForTimeout(800)
      await page.screenshot({ path: new URL(`${name}-${language}.png`, into).pathname })
    }
    await context.close()
  }
} finally {
  await browser.close()
  await demo.end()
}
