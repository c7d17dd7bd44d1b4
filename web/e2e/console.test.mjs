// The console as people use it, against a real service, from the first sign-in on.
// Run by "make test", which builds the binary with its console first.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { launch, open } from './browser.mjs'
import { demonstration, Service } from './service.mjs'
import { noShift, settled, watch } from './watch.mjs'
import { confirm, inAllAppearances, quiet as noComplaints, steps } from './walk.mjs'

const binary = process.env.PRATIQUE_BINARY ?? new URL('../../bin/pratique', import.meta.url).pathname
const password = ['a password', 'of my own', 'for tests'].join(' ')

let demo, service, browser, page, complaints, context, watched

before(async () => {
  demo = await demonstration(binary)
  service = new Service(binary)
  await service.begin(demo.feeds)
  browser = await launch()
  ;({ context, page, complaints } = await open(browser))
  watched = await watch(page)
}, { timeout: 180_000 })

after(async () => {
  await browser?.close()
  await service?.end()
  await demo?.end()
})

const test = steps(async () => {
  if (process.env.PRATIQUE_SHOTS) await page.screenshot({ path: `${process.env.PRATIQUE_SHOTS}/failed.png` })
})

const button = (name) => page.getByRole('button', { name, exact: true })
const at = (path) => page.goto(service.base + path)

const quiet = (...expected) => noComplaints(complaints, ...expected)

test('a wrong password is refused in words', async () => {
  await at('/registries')
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password').fill('wrong')
  await button('Sign in').click()
  await page.getByText('the name or the password is wrong').waitFor()
  quiet(/401/)
})

test('first sign-in: the one-time password has to be changed, and the page that was asked for comes', async () => {
  await page.getByLabel('Password').fill(service.password)
  await button('Sign in').click()
  await page.getByLabel('One-time password').waitFor()
  await page.reload()
  await page.getByLabel('One-time password').fill(service.password)
  await page.getByLabel('New password', { exact: true }).fill(password)
  await page.getByLabel('New password again').fill(password)
  await button('Set password').click()
  await page.getByRole('heading', { name: 'No registry yet' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/registries')
  quiet()
})

test('a registry that does not answer says why, and what to do, before it is kept', async () => {
  await button('Add image repository').first().click()
  await page.getByRole('combobox', { name: 'Repository type' }).click()
  await page.getByTitle('OCI / Docker Registry v2').last().click()
  await page.getByLabel('Instance name', { exact: true }).fill('estate')
  await page.getByLabel('Address', { exact: true }).fill('http://127.0.0.1:1')
  await button('Test connection').click()
  await page.getByRole('status').getByText('Unreachable').waitFor()
  quiet()
})

test('a registry is tested, added and synchronised', async () => {
  await page.getByLabel('Address', { exact: true }).fill(demo.registry)
  await button('Test connection').click()
  await page.getByRole('status').getByText('Connected').waitFor()
  await button('OK').click()
  await page.getByRole('link', { name: 'estate', exact: true }).waitFor()
  quiet()

  await button('Add image repository').first().click()
  await page.getByLabel('Instance name', { exact: true }).fill('estate')
  await page.getByText('another registry has this name').waitFor()
  await button('Cancel').click()

  await at('/images')
  await button('Sync assets').click()
  await confirm(page)
  await page.getByRole('link', { name: 'shop/payments' }).first().waitFor()
  quiet()
})

test('a quick scan tells what it will do, and shows how far it is', async () => {
  await button('Quick scan').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('All images', { exact: true }).click()
  await dialog.getByText(/17 images .* will be scanned/).waitFor()
  await dialog.getByRole('button', { name: 'Scan now' }).click()
  await page.getByText(/The scan of \d+ images has begun/).waitFor()
  await page.getByText('Scanned', { exact: true }).first().waitFor({ timeout: 60_000 })
  quiet()
})

test('filters are in the address, and a chip takes one back', async () => {
  await at('/images')
  await page.getByRole('searchbox').fill('payments 0.9.0')
  await page.waitForURL(/search=payments/)
  await page.getByRole('link', { name: 'shop/web' }).first().waitFor({ state: 'hidden' })
  await button('Security status').click()
  await page.getByRole('group', { name: 'Security status' }).getByText('At risk').click()
  await page.waitForURL(/risk=at_risk/)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /Remove the filter Security status/ }).click()
  await page.waitForURL((url) => !url.search.includes('risk='))
  quiet()
})

test('an image, a vulnerability in it, its fix and its proof have addresses of their own', async () => {
  await page.getByRole('link', { name: 'shop/payments' }).first().click()
  await page.getByText('Image risk').waitFor()
  await page.getByRole('navigation', { name: 'Image', exact: true }).getByRole('link', { name: /^Vulnerabilities/ }).click()
  const finding = page.getByRole('dialog').getByRole('link', { name: /^CVE-/ }).first()
  const id = await finding.textContent()
  await finding.click()
  await page.getByText('Why it is believed').first().waitFor()
  await page.reload()
  await page.getByText('Why it is believed').first().waitFor()
  await page.getByRole('link', { name: 'In all images' }).click()
  await page.getByRole('heading', { name: new RegExp(id) }).waitFor()
  await page.getByText('Repository images that have it now').waitFor()
  quiet()
})

test('[ and ] go through the list without closing the drawer', async () => {
  await at('/images?search=web')
  await page.getByRole('link', { name: 'Details' }).first().click()
  await page.getByText('Image details').waitFor()
  const first = page.url()
  const title = page.locator('.ant-drawer-title')
  const name = await title.textContent()
  await page.keyboard.press(']')
  await page.waitForFunction((before) => document.querySelector('.ant-drawer-title')?.textContent !== before, name)
  await page.waitForURL((url) => url.href !== first)
  await page.keyboard.press('[')
  await page.waitForURL((url) => url.href === first)
  quiet()
})

test('ticked images are scanned again, and all that are filtered can be ticked', async () => {
  await at('/images?search=shop')
  const boxes = page.getByRole('checkbox', { name: 'Select the row' })
  await boxes.nth(0).click()
  await boxes.nth(3).click({ modifiers: ['Shift'] })
  await page.getByText('4 selected').waitFor()
  await page.getByRole('button', { name: /^Select all \d+/ }).click()
  await boxes.nth(1).click()
  await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Scan again' }).click()
  await confirm(page)
  await page.getByText(/The scan of \d+ images? has begun/).waitFor()
  quiet()
})

test('a scan that waits is cancelled, and says so', async () => {
  // Five pulls an hour: what comes after them waits for its turn.
  const headers = { 'X-Requested-With': 'test' }
  const { items } = await (await context.request.get(`${service.base}/api/v1/registries`)).json()
  const { name, kind, address, networkType, region } = items[0]
  const changed = await context.request.put(`${service.base}/api/v1/registries/${items[0].id}`, { headers, data: { name, kind, address, networkType, region, hourlyLimit: 5 } })
  assert.equal(changed.status(), 200)
  const task = await context.request.post(`${service.base}/api/v1/tasks`, { headers, data: { categories: ['vulnerability', 'secret', 'malware'], scope: 'all', filter: {}, forced: true } })
  assert.equal(task.status(), 201)
  await at(`/tasks/${(await task.json()).id}`)
  await page.getByRole('main').getByRole('button', { name: 'Cancel scanning' }).first().click()
  await confirm(page, 'Cancel scanning')
  await page.getByText(/scans? (was|were) cancelled/).waitFor()
  await page.getByRole('main').getByText('Cancelled', { exact: true }).first().waitFor()
  quiet()
})

test('columns are chosen, and kept after a reload', async () => {
  await at('/images')
  await button('Custom list management').click()
  await page.getByRole('checkbox', { name: 'Digest' }).check()
  await page.getByRole('checkbox', { name: 'Type' }).uncheck()
  await button('OK').click()
  await page.getByRole('columnheader', { name: 'Digest' }).waitFor()
  await page.reload()
  await page.getByRole('columnheader', { name: 'Digest' }).waitFor()
  assert.equal(await page.getByRole('columnheader', { name: 'Type', exact: true }).count(), 0)
  quiet()
})

test('the language changes at once, and stays', async () => {
  await button('切换到中文').click()
  await page.getByRole('heading', { name: '仓库镜像' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: '仓库镜像' }).waitFor()
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN')
  await button('Switch to English').click()
  await page.getByRole('heading', { name: 'Repository images' }).waitFor()
  quiet()
})

test('a session that ends under an open page: signing in again keeps the page', async () => {
  await at('/images?search=shop')
  await page.getByRole('link', { name: 'shop/web' }).first().waitFor()
  await watched.idle() // else what the page asks by itself finds out before somebody does
  await context.clearCookies()
  await button('Refresh').click()
  await page.getByText('Your session has ended').waitFor()
  await page.getByRole('dialog').getByLabel('Password').fill(password)
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Your session has ended').waitFor({ state: 'hidden' })
  assert.match(page.url(), /search=shop/)
  await page.getByRole('link', { name: 'shop/web' }).first().waitFor()
  quiet(/401/)
})

test('a service that restarts under an open page: the page says so, and goes on', async () => {
  await at('/images')
  await page.getByRole('link', { name: 'shop/web' }).first().waitFor()
  await service.stop()
  await page.getByText(/connection to the service is interrupted/).waitFor()
  await service.again()
  await page.getByText(/connection to the service is interrupted/).waitFor({ state: 'hidden' })
  await button('Refresh').click()
  await page.getByRole('link', { name: 'shop/web' }).first().waitFor()
  quiet(/ERR_/, /50\d/, /Failed to load resource/)
})

const pages = ['/', '/images', '/vulnerabilities', '/vulnerabilities/CVE-2021-44228', '/components', '/secrets', '/malware', '/tasks', '/schedules', '/registries', '/feeds', '/exports', '/quota', '/audit', '/profile']

// The first script asks before the page does; both have to mean the same.
test('a page asks for everything once when it is opened, whatever its address says', { timeout: 120_000 }, async () => {
  const found = []
  for (const path of [...pages, '/local-images', '/hosts', '/containers', '/images?status=scanned,failed&newest=true&search=shop&sort=-size', '/images?limit=20&createdFrom=2020-01-01T00:00:00Z', '/vulnerabilities?severity=critical,high&fixable=true', '/images/1/vulnerabilities?in.severity=critical&dialog=guide']) {
    await at(path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await watched.idle()
    for (const one of watched.twice()) found.push(`${path} asks twice for ${one}`)
  }
  assert.deepEqual(found, [])
  quiet()
})

// What comes late on a slow computer makes things jump that are in place at once on a fast one.
test('nothing jumps while a page loads, on a slow computer either, and no answer is heavy', { timeout: 240_000 }, async () => {
  const devtools = await context.newCDPSession(page)
  const found = []
  for (const rate of [1, 6]) {
    await devtools.send('Emulation.setCPUThrottlingRate', { rate })
    for (const path of ['/images', '/vulnerabilities', '/components', '/secrets', '/malware', '/tasks', '/registries']) {
      await at(path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await settled(page)
      const { sum, of } = await watched.shift()
      if (sum > noShift) found.push(`${path}, ${rate} times slower: ${of.join('; ')}`)
    }
  }
  await devtools.detach()
  assert.deepEqual([...found, ...watched.heavy()], [])
  quiet()
})

test('no page is a barrier that a machine can find, in both appearances and on a telephone', { timeout: 300_000 }, async () => {
  assert.deepEqual(await inAllAppearances({ page, context, base: service.base }, pages), [])
  quiet()
})
