// Scans by the clock, the quota and exports, as people use them, in both languages:
// a schedule is set and runs when its time comes, images are licensed until the quota
// is used up, and lists become files that other programs open.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { launch, open } from './browser.mjs'
import { demonstration, Service } from './service.mjs'
import { confirm, inAllAppearances, quiet as noComplaints, steps, words } from './walk.mjs'

const folder = new URL('../../bin/', import.meta.url).pathname
const binary = process.env.PRATIQUE_BINARY ?? `${folder}pratique`
const tests = process.env.PRATIQUE_TESTS ?? `${folder}pratique.test`
const password = ['a password', 'of my own', 'for tests'].join(' ')
const python = '/usr/bin/python3' // Debian's, which has openpyxl

let demo, service, browser, files, page, context, complaints, t, language

before(async () => {
  files = await mkdtemp(join(tmpdir(), 'pratique-files-'))
  demo = await demonstration(binary)
  service = new Service(tests, { movable: true })
  await service.begin(demo.feeds)
  browser = await launch()
}, { timeout: 180_000 })

after(async () => {
  await browser?.close()
  await service?.end()
  await demo?.end()
  await rm(files, { recursive: true, force: true })
})

const test = steps(async () => {
  if (process.env.PRATIQUE_SHOTS) await page.screenshot({ path: `${process.env.PRATIQUE_SHOTS}/failed.png` })
})

const headers = { 'X-Requested-With': 'test' }
const at = (path) => page.goto(service.base + path)
const quiet = (...expected) => noComplaints(complaints, ...expected)
const button = (key) => page.getByRole('button', { name: t(key), exact: true })
const dialog = () => page.getByRole('dialog').last()

async function ask(method, path, data) {
  const answer = await context.request.fetch(`${service.base}/api/v1${path}`, { method, headers, data })
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`)
  return answer.status() === 204 ? undefined : answer.json()
}

/** until asks again until the answer is as it should be. */
async function until(question, patience = 60_000) {
  for (const end = Date.now() + patience; Date.now() < end; await page.waitForTimeout(250)) {
    const answer = await question()
    if (answer) return answer
  }
  throw new Error(`still not: ${question}`)
}

/** enforce switches the quota, as it is. */
async function enforce(enabled) {
  const { total, auto } = await ask('GET', '/quota')
  await ask('PUT', '/quota', { enabled, total, auto })
}

async function enter(as) {
  await context?.close()
  language = as
  t = words(language)
  ;({ context, page, complaints } = await open(browser, { language }))
  await ask('POST', '/session', { name: 'admin', password })
  await ask('PUT', '/preferences/ui', { language, theme: 'light', density: 'compact' })
  await page.addInitScript(() => localStorage.setItem('pratique.signedIn', 'true'))
}

test('an installation with images that were scanned', { timeout: 120_000 }, async () => {
  ;({ context, page, complaints } = await open(browser))
  await ask('POST', '/session', { name: 'admin', password: service.password })
  await ask('PUT', '/session/password', { current: service.password, password })
  const registry = await ask('POST', '/registries', { name: 'estate', kind: 'oci', address: demo.registry, networkType: 'private', region: 'default' })
  await ask('POST', '/registries/sync', { ids: [registry.id], full: true })
  await until(async () => (await ask('GET', '/images?limit=1&total=true')).total === 17)
  const task = await ask('POST', '/tasks', { categories: ['vulnerability', 'secret', 'malware', 'software'], scope: 'all', filter: {} })
  await until(async () => (await ask('GET', `/tasks/${task.id}`)).ended, 90_000)
})

/** tomorrow is an hour of the next day by UTC, some minutes past it. */
function tomorrow(hour, minute = 1) {
  const d = new Date()
  return Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate() + days, hour, minute)
}
let days = 1

for (const tongue of ['en', 'zh']) {
  test(`${tongue}: a scheduled scan is set where the images are, and says when it will run`, async () => {
    await enter(tongue)
    await at('/images')
    await button('schedule.settings').click()
    if (tongue === 'zh') { // there is one already
      await dialog().getByRole('combobox', { name: t('schedule.one') }).click()
      await page.getByTitle(t('schedule.new')).last().click()
    }
    await dialog().getByLabel(t('schedule.name'), { exact: true }).fill(`${tongue} nightly`)
    await dialog().getByText(t('schedule.daily'), { exact: true }).click()
    await dialog().getByLabel(t('schedule.start')).fill('03:00')
    await dialog().getByLabel(t('schedule.end')).fill('05:00')
    await dialog().getByRole('combobox', { name: t('settings.zone') }).fill('UTC')
    await page.getByTitle('UTC', { exact: true }).last().click()
    await dialog().getByRole('checkbox', { name: t('category.software') }).uncheck()
    await dialog().getByText(t('scope.specified'), { exact: true }).click()
    // A range by Shift, in the left pane.
    const panes = dialog().getByRole('region', { name: t('picker.available') }).getByRole('listitem').getByRole('checkbox')
    await panes.nth(1).click()
    await panes.nth(3).click({ modifiers: ['Shift'] })
    await dialog().getByText(t('picker.count', { count: 3, n: 3 })).waitFor()
    await dialog().getByText(t('schedule.previewCount', { count: 3, n: 3, images: 3 })).waitFor()
    assert.equal(await dialog().locator('.openings li').count(), 5)
    assert.match(await dialog().locator('.openings li').first().textContent(), /03:00$/)
    await dialog().getByRole('button', { name: t('schedule.ok'), exact: true }).click()
    await page.getByText(new RegExp(t('schedule.set', { name: `${tongue} nightly`, at: '.*03:00' }))).waitFor()
    quiet()
  })

  test(`${tongue}: when its time comes it runs, and its task is linked`, { timeout: 120_000 }, async () => {
    await at('/schedules')
    const row = page.getByRole('row', { name: new RegExp(`${tongue} nightly`) })
    await row.getByText(t('schedule.never')).waitFor()
    await service.ahead(tomorrow(3))
    await row.getByText(t('scheduleResult.success')).waitFor({ timeout: 60_000 })
    await row.getByRole('button', { name: t('schedule.runs') }).click()
    const runs = page.getByRole('dialog')
    await runs.getByRole('cell', { name: t('scheduleResult.success') }).waitFor()
    await runs.getByRole('cell', { name: t('taskKind.schedule'), exact: true }).waitFor()
    await runs.getByRole('link', { name: /^#/ }).click()
    await page.getByRole('heading', { name: new RegExp(`^${t('task.one')} #`) }).waitFor()
    await page.getByText(`${tongue} nightly`).first().waitFor()
    await page.getByRole('main').getByRole('progressbar').nth(2).waitFor() // each category has its own
    quiet()
  })

  test(`${tongue}: one that is switched off does not run, and one is deleted`, async () => {
    await at('/schedules')
    const row = page.getByRole('row', { name: new RegExp(`${tongue} nightly`) })
    const { items } = await ask('GET', '/schedules')
    const { id, last } = items.find((s) => s.name === `${tongue} nightly`)
    await row.getByRole('switch').click()
    await until(async () => (await ask('GET', `/schedules/${id}`)).enabled === false)
    days++
    await service.ahead(tomorrow(3))
    await page.waitForTimeout(12_000) // the clock is looked at every ten seconds
    assert.equal((await ask('GET', `/schedules/${id}`)).last.id, last.id)
    await service.ahead(Date.now()) // or else the next one would find its window open
    await row.getByRole('button', { name: t('list.moreActions', { name: `${tongue} nightly` }) }).click()
    await page.getByRole('menuitem', { name: t('common.delete') }).click()
    await confirm(page, t('common.delete'))
    await page.getByText(t('schedule.deleted', { name: `${tongue} nightly` })).waitFor()
    if (tongue === 'en') await ask('POST', '/schedules', { name: 'kept', enabled: false, everyDays: 7, start: '01:00', zone: 'UTC', categories: ['vulnerability'], scope: 'recommended' })
    quiet()
  })

  test(`${tongue}: the quota is switched on, and licensing says its cost before`, async () => {
    const before = await ask('GET', '/quota')
    const total = before.used + 2
    await at('/quota')
    if (!before.enabled) await page.getByRole('switch', { name: t('quota.enforced') }).click()
    await page.getByLabel(t('quota.total'), { exact: true }).fill(String(total))
    await button('settings.save').click()
    await page.getByText(t('settings.saved')).waitFor()
    await at('/images?licensed=false')
    const rows = page.getByRole('row').filter({ has: page.getByRole('button', { name: t('quota.license'), exact: true }) })
    await rows.first().waitFor()
    // More than there is left is refused before it is tried, with both numbers.
    const boxes = page.getByRole('checkbox', { name: t('list.tick') })
    await boxes.nth(0).click()
    await boxes.nth(4).click({ modifiers: ['Shift'] })
    const selection = page.getByRole('region', { name: t('list.selection') })
    await selection.getByRole('button', { name: t('quota.license'), exact: true }).click()
    await dialog().getByText(/2/).first().waitFor()
    const needed = (await dialog().locator('dd strong').textContent()).trim()
    await dialog().getByText(t('quota.notEnough', { needed, left: 2 })).waitFor()
    assert.equal(await dialog().getByRole('button', { name: t('common.ok'), exact: true }).isDisabled(), true)
    await dialog().getByRole('button', { name: t('common.cancel'), exact: true }).click()
    await dialog().waitFor({ state: 'hidden' })
    await selection.getByRole('button', { name: t('list.clearSelection') }).click()
    // One is licensed, and is no longer among those that are not.
    const name = (await rows.first().getByRole('link').first().textContent()).trim()
    await rows.first().getByRole('button', { name: t('quota.license'), exact: true }).click()
    await dialog().getByText('2 → 1').waitFor()
    await dialog().getByRole('button', { name: t('common.ok'), exact: true }).click()
    await page.getByText(t('quota.licensed', { count: 1, n: 1, left: 1 })).waitFor()
    assert.equal((await ask('GET', '/quota')).used, before.used + 1)
    await at('/quota')
    await page.getByRole('button', { name: t('quota.unitsOf', { n: 1 }) }).first().click()
    await page.getByRole('dialog').getByRole('link', { name: new RegExp(name) }).waitFor()
    quiet()
  })

  test(`${tongue}: a scan of images without a licence is refused in words`, async () => {
    await at('/images?licensed=false')
    await page.getByRole('checkbox', { name: t('list.tick') }).first().click()
    await page.getByRole('checkbox', { name: t('list.tick') }).nth(3).click({ modifiers: ['Shift'] })
    await page.getByRole('region', { name: t('list.selection') }).getByRole('button', { name: t('scan.again'), exact: true }).click()
    await confirm(page, t('common.ok'))
    await page.getByText(tongue === 'en' ? /have no licence, and the quota has 1 units left/ : /个镜像未授权，当前可用授权 1 个/).waitFor()
    quiet(/409/)
  })

  test(`${tongue}: the list of images becomes a workbook with its columns and ticked rows`, async () => {
    await enforce(false)
    await at('/images?sort=name')
    await page.getByRole('checkbox', { name: t('list.tick') }).nth(0).click()
    await page.getByRole('checkbox', { name: t('list.tick') }).nth(2).click({ modifiers: ['Shift'] })
    await button('export.title').first().click()
    await dialog().getByText(t('export.count', { count: 3, n: 3 })).waitFor()
    await dialog().getByRole('checkbox', { name: tongue === 'en' ? 'Digest' : '镜像摘要' }).check()
    const file = await made(`workbook-${tongue}`)
    const rows = workbook(file)
    assert.equal(rows.length, 4)
    assert.deepEqual(rows[0].slice(0, 4), tongue === 'en' ? ['Image', 'Version', 'Registry', 'Repository type'] : ['镜像', '镜像版本', '镜像仓库', '仓库类型'])
    assert.match(rows[1].at(-1), /^sha256:/)
    quiet()
  })

  test(`${tongue}: the findings of all filtered images but one, in one file`, async () => {
    await at('/images?search=shop')
    await page.getByRole('checkbox', { name: t('list.tick') }).first().click()
    await page.getByRole('button', { name: new RegExp(`^${t('list.selectAll', { n: '\\d+' })}$`) }).click()
    await page.getByRole('checkbox', { name: t('list.tick') }).nth(1).click()
    await button('export.title').first().click()
    await dialog().getByRole('radio', { name: new RegExp(tongue === 'en' ? '^Vulnerabilities of images' : '^镜像漏洞') }).check()
    await dialog().getByText('CSV', { exact: true }).click()
    const said = Number((await dialog().locator('strong').filter({ hasText: tongue === 'en' ? /rows$/ : /行$/ }).textContent()).replace(/\D/g, ''))
    const file = await made(`findings-${tongue}`)
    assert.equal(records(file), said + 1)
    assert.ok(said > 10, `${said} rows`)
    quiet()
  })

  test(`${tongue}: what an image's tab shows becomes a file of that image under its filter`, async () => {
    const { items } = await ask('GET', '/images?search=payments')
    const image = items.find((r) => r.tag === '0.9.0')
    const found = await ask('GET', `/contents/${image.imageID}/vulnerabilities?severity=critical&limit=1&total=true`)
    await at(`/images/${image.id}/vulnerabilities?in.severity=critical`)
    await page.getByRole('dialog').getByRole('button', { name: t('export.title'), exact: true }).click()
    await dialog().getByText(t('export.count', { count: found.total, n: found.total })).waitFor()
    await dialog().getByText('JSON', { exact: true }).click()
    const file = await made(`image-${tongue}`)
    const lines = JSON.parse(await readFile(file, 'utf8'))
    assert.equal(lines.length, found.total)
    assert.ok(lines.every((l) => l.severity === 'critical'))
    quiet()
  })

  test(`${tongue}: every other list has the button as well`, async () => {
    for (const path of ['/vulnerabilities', '/vulnerabilities/CVE-2021-44228', '/components', '/secrets', '/malware', '/tasks', '/tasks/1']) {
      await at(path)
      await page.getByRole('main').getByRole('button', { name: t('export.title'), exact: true }).click()
      await dialog().getByText(/5,000,000/).waitFor()
      assert.equal(await dialog().getByRole('button', { name: t('export.ok'), exact: true }).isEnabled(), true, path)
      await dialog().getByRole('button', { name: t('common.cancel'), exact: true }).click()
    }
    quiet()
  })

  test(`${tongue}: the page of exports has all files, and one is deleted`, async () => {
    await at('/exports')
    const row = page.getByRole('row', { name: new RegExp(`findings-${tongue}`) })
    await row.getByText(t('exportState.success')).waitFor()
    await row.getByRole('button', { name: t('common.delete') }).click()
    await confirm(page, t('common.delete'))
    await row.waitFor({ state: 'hidden' })
    quiet()
  })
}

/** made begins an export from its dialog, and saves the file that the notice offers. */
async function made(name) {
  await dialog().getByLabel(t('export.name'), { exact: true }).fill(name)
  await dialog().getByRole('button', { name: t('export.ok'), exact: true }).click()
  const notice = page.locator('.ant-notification-notice').filter({ hasText: name })
  await notice.getByText(t('export.ready')).waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), notice.getByRole('link', { name: t('export.download') }).click()])
  const file = join(files, download.suggestedFilename())
  await download.saveAs(file)
  return file
}

/** workbook is all cells of a workbook, as another program reads them. */
function workbook(file) {
  const script = 'import json, openpyxl, sys\nbook = openpyxl.load_workbook(sys.argv[1])\nprint(json.dumps([[c for c in row] for sheet in book for row in sheet.iter_rows(values_only=True)], default=str))'
  return JSON.parse(execFileSync(python, ['-c', script, file], { encoding: 'utf8' }))
}

/** records counts the records of a file of comma-separated values, as another program reads them. */
function records(file) {
  return Number(execFileSync(python, ['-c', 'import csv, sys\nprint(sum(1 for _ in csv.reader(open(sys.argv[1], newline="", encoding="utf-8-sig"))))', file], { encoding: 'utf8' }))
}

test('none of it is a barrier that a machine can find, in both appearances and on a telephone', { timeout: 600_000 }, async () => {
  await enter('en')
  await enforce(true)
  const { items } = await ask('GET', '/schedules')
  const opened = ['?edit=', '?runs=', '?entry=']
  const found = await inAllAppearances({ page, context, base: service.base }, ['/schedules', '/schedules?edit=new', `/schedules?runs=${items[0].id}`, '/exports', '/quota', '/quota?entry=2', '/images?licensed=false'], async (path) => {
    if (opened.some((part) => path.includes(part))) await page.getByRole('dialog').waitFor()
    await page.waitForTimeout(600) // until it has come to rest
  })
  await at('/images')
  await button('export.title').first().click()
  await dialog().getByText(/5,000,000/).waitFor()
  assert.deepEqual(found, [])
  quiet()
})
