// What walks through the console share: steps that build on each other, and the
// console's own words.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test as run } from 'node:test'
import { barriers } from './browser.mjs'

/** words are the texts of a language, by the keys that the source has for them. */
export function words(language) {
  const catalogue = JSON.parse(readFileSync(new URL(`../src/i18n/${language}.json`, import.meta.url), 'utf8'))
  return (key, values = {}) => {
    const text = catalogue[key] ?? catalogue[`${key}_${values.count === 1 && language === 'en' ? 'one' : 'other'}`]
    if (text === undefined) throw new Error(`no text ${key} in ${language}`)
    return Object.entries(values).reduce((all, [name, value]) => all.replaceAll(`{{${name}}}`, value), text)
  }
}

/** steps makes a test that does not run after one of them failed: it would say nothing. */
export function steps(screenshot) {
  let failed = false
  return (name, ...rest) => {
    const step = rest.pop()
    run(name, ...rest, async () => {
      if (failed) throw new Error('a step before this one failed')
      failed = true
      try {
        await step()
      } catch (e) {
        await screenshot()
        throw e
      }
      failed = false
    })
  }
}

/** quiet fails when a page complained; what a step provokes on purpose is named. */
export function quiet(complaints, ...expected) {
  const others = complaints.splice(0).filter((text) => !expected.some((pattern) => pattern.test(text)))
  assert.deepEqual(others, [])
}

/** confirm answers a pop-up by one of its buttons, once it has come to rest. */
export async function confirm(page, name = 'OK') {
  const dialog = page.locator('.ant-modal-confirm')
  await dialog.waitFor()
  await page.waitForTimeout(400)
  await dialog.getByRole('button', { name, exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
}

/** inAllAppearances looks at pages in light and dark, and on a telephone; what is wrong with them is returned. */
export async function inAllAppearances({ page, context, base, language = 'en' }, paths, ready) {
  const found = []
  for (const [theme, width] of [['light', 1440], ['dark', 1440], ['light', 390]]) {
    await page.setViewportSize({ width, height: 900 })
    await context.request.put(`${base}/api/v1/preferences/ui`, { headers: { 'X-Requested-With': 'test' }, data: { language, theme, density: 'compact' } })
    for (const path of paths) {
      await page.goto(base + path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForFunction((t) => document.documentElement.dataset.theme === t && !document.querySelector('[aria-busy=true], .waiting'), theme)
      await ready?.(path)
      for (const barrier of await barriers(page)) found.push(`${path} ${theme} ${width}: ${barrier}`)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (over > 0) found.push(`${path} is ${over} pixels wider than the screen of ${width}`)
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  return found
}
