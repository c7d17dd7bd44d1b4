// Images on hosts as people use them: a real agent beside a real Docker, from its
// enrolment to the image that has to be dealt with first.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { after, before } from 'node:test'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, open } from './browser.mjs'
import { Service, start } from './service.mjs'
import { confirm, inAllAppearances, quiet, steps, words } from './walk.mjs'

const binary = process.env.PRATIQUE_BINARY ?? new URL('../../bin/pratique', import.meta.url).pathname
const say = words('en')

let service, dir, dockerd, agent, browser, page, complaints, context
let detail // the row of the image that was scanned

const docker = (...args) => execFileSync('docker', ['-H', `unix://${dir}/d.sock`, ...args], { encoding: 'utf8', env: { ...process.env, HOME: dir } })

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pratique-host-'))
  dockerd = await start('dockerd', ['--data-root', `${dir}/data`, '--exec-root', `${dir}/exec`, '-p', `${dir}/d.pid`, '-H', `unix://${dir}/d.sock`, '--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=overlay2'], /API listen on/)
  const root = join(dir, 'root')
  await mkdir(join(root, 'bin'), { recursive: true })
  await mkdir(join(root, 'etc'))
  await copyFile('/bin/busybox', join(root, 'bin/busybox'))
  await writeFile(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
  await writeFile(join(root, 'etc/deploy.pem'), generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }))
  execFileSync('tar', ['-C', root, '-cf', join(dir, 'root.tar'), '.'])
  docker('import', join(dir, 'root.tar'), 'shop/app:1')
  // One that takes some seconds to read: text, which is looked through for secrets.
  await mkdir(join(dir, 'slow/srv'), { recursive: true })
  for (let n = 0; n < 64; n++) await writeFile(join(dir, `slow/srv/${n}.conf`), `${n} password token key = value of something that is none, again and again\n`.repeat(14_000))
  execFileSync('tar', ['-C', join(dir, 'slow'), '-cf', join(dir, 'slow.tar'), '.'])
  docker('import', join(dir, 'slow.tar'), 'shop/slow:1')
  docker('run', '-d', '--network', 'none', '--name', 'web', 'shop/app:1', '/bin/busybox', 'sleep', '3600')
  service = new Service(binary, { agents: true })
  await service.begin()
  browser = await launch()
  ;({ context, page, complaints } = await open(browser))
  const headers = { 'X-Requested-With': 'test' }
  const password = ['a password', 'of my own', 'for tests'].join(' ')
  await context.request.post(`${service.base}/api/v1/session`, { headers, data: { name: 'admin', password: service.password } })
  await context.request.put(`${service.base}/api/v1/session/password`, { headers, data: { current: service.password, password } })
  await context.request.post(`${service.base}/api/v1/session`, { headers, data: { name: 'admin', password } })
  await page.addInitScript(() => localStorage.setItem('pratique.signedIn', 'true'))
}, { timeout: 180_000 })

after(async () => {
  await browser?.close()
  await agent?.stop()
  await service?.end()
  if (dockerd) docker('rm', '-f', 'web')
  await dockerd?.stop()
  await rm(dir, { recursive: true, force: true })
}, { timeout: 60_000 })

const test = steps(async () => {
  if (process.env.PRATIQUE_SHOTS) await page.screenshot({ path: `${process.env.PRATIQUE_SHOTS}/failed-local.png` })
})
const button = (key, values) => page.getByRole('button', { name: say(key, values), exact: true })

test('a token is made, its command copied, and the agent seen to arrive', { timeout: 90_000 }, async () => {
  await page.goto(`${service.base}/agents`)
  await button('agent.enrol').first().click()
  await page.getByLabel(say('host.project')).fill('shop')
  await button('agent.make').click()
  const command = await page.locator('pre.code').first().innerText()
  const [, secret] = command.match(/printf '%s\\n' '([^']+)'/)
  const [, server] = command.match(/PRATIQUE_SERVER=(\S+)/)
  await writeFile(join(dir, 'token'), secret, { mode: 0o600 })
  agent = await start(binary, ['agent', '--server', server, '--token-file', join(dir, 'token'), '--data', join(dir, 'agent'), '--engine', `docker=unix://${dir}/d.sock`, '--no-nice'], /./)
  await page.getByText(/ has enrolled\.$/).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: say('common.close'), exact: true }).last().click()
  await page.locator('.tag.ok', { hasText: say('hostStatus.online') }).first().waitFor()
  quiet(complaints)
})

test('the image is listed, with its server and its container, each with filters', { timeout: 60_000 }, async () => {
  await page.goto(`${service.base}/local-images`)
  const row = page.locator('tr[data-row-key]', { hasText: 'shop/app' })
  await row.waitFor()
  await row.locator('a[href*="/hosts"]').click()
  const drawer = page.getByRole('dialog')
  await drawer.getByText(/^Docker /).waitFor()
  await drawer.getByPlaceholder(say('host.search')).fill('no such server')
  await drawer.getByText(say('list.nothingFound')).waitFor()
  await drawer.getByPlaceholder(say('host.search')).fill('shop')
  await drawer.getByText(/^Docker /).waitFor()
  await drawer.getByRole('link', { name: new RegExp(`^${say('nav.containers')}`) }).click()
  await drawer.getByText('/bin/busybox sleep 3600').waitFor()
  await page.goto(`${service.base}/containers?state=exited`)
  await page.getByText(say('list.nothingFound')).waitFor()
  await page.goto(`${service.base}/containers?state=running`)
  await page.getByText('web', { exact: true }).waitFor()
  quiet(complaints)
})

test('it is scanned where it is, and is then one of those to deal with first, with the reason', { timeout: 120_000 }, async () => {
  await page.goto(`${service.base}/local-images`)
  const row = page.locator('tr[data-row-key]', { hasText: 'shop/app' })
  await row.getByRole('button', { name: say('scan.now'), exact: true }).click()
  await confirm(page)
  await row.getByText(say('status.scanned'), { exact: true }).waitFor({ timeout: 90_000 })
  await button('local.highPriorityOnly').click()
  await row.getByText(new RegExp(say('reason.live_secret'))).waitFor()
  await row.getByRole('link', { name: say('images.details'), exact: true }).click()
  await page.getByRole('dialog').getByText(say('detail.risk')).waitFor()
  assert.match(page.url(), /\/local-images\/\d+\?.*highPriority=true/)
  detail = page.url().match(/\/local-images\/(\d+)/)[1]
  quiet(complaints)
})

/** speaking opens a page in a language. */
async function speaking(language, path) {
  await context.request.put(`${service.base}/api/v1/preferences/ui`, { headers: { 'X-Requested-With': 'test' }, data: { language, theme: 'light', density: 'compact' } })
  await page.goto(service.base + path)
  await page.getByRole('heading', { level: 1, name: words(language)('nav.localImages') }).waitFor()
}

test('a scan on a server is cancelled while it goes on, and one that is over is done again', { timeout: 90_000 }, async () => {
  await page.goto(`${service.base}/local-images`)
  const slow = page.locator('tr[data-row-key]', { hasText: 'shop/slow' })
  await slow.getByRole('button', { name: say('scan.now'), exact: true }).click()
  await confirm(page, 'OK')
  await slow.getByRole('button', { name: say('scan.cancel'), exact: true }).click()
  await confirm(page, say('scan.cancel'))
  await page.getByText(say('scan.cancelled', { count: 1, n: '1' })).waitFor()
  await slow.getByText(say('status.cancelled'), { exact: true }).waitFor()
  const row = page.locator('tr[data-row-key]', { hasText: 'shop/app' })
  const begun = page.waitForResponse((r) => r.url().endsWith('/api/v1/tasks') && r.request().method() === 'POST')
  await row.getByRole('button', { name: say('scan.again'), exact: true }).click()
  await confirm(page, 'OK')
  const task = await (await begun).json()
  await page.goto(`${service.base}/tasks/${task.id}`)
  await page.getByRole('main').getByText(say('status.scanned'), { exact: true }).first().waitFor({ timeout: 60_000 })
  quiet(complaints)
})

test('servers tell anew what they have when they are asked to', { timeout: 60_000 }, async () => {
  docker('tag', 'shop/app:1', 'shop/app:2')
  await page.goto(`${service.base}/local-images`)
  await button('update.title').click()
  await confirm(page, 'OK')
  await page.getByText(new RegExp(say('update.last', { ago: '.+' }))).waitFor({ timeout: 30_000 })
  await page.locator('tr[data-row-key]', { hasText: /shop\/app\D+2/ }).waitFor()
  quiet(complaints)
})

test('their scans are put on a schedule from the list, in both languages', { timeout: 60_000 }, async () => {
  const zh = words('zh')
  await speaking('zh', '/local-images')
  await page.getByRole('button', { name: zh('schedule.settings'), exact: true }).click()
  const dialog = page.getByRole('dialog', { name: zh('schedule.settings') })
  await dialog.getByLabel(zh('schedule.name'), { exact: true }).fill('nightly')
  await dialog.getByText(/\d/).first().waitFor()
  await dialog.getByRole('button', { name: zh('schedule.ok') }).click()
  await page.getByText(new RegExp(zh('schedule.set', { name: 'nightly', at: '.+' }))).waitFor()
  await speaking('en', '/local-images')
  await button('schedule.settings').click()
  const again = page.getByRole('dialog', { name: say('schedule.settings') })
  await again.getByText('nightly', { exact: true }).first().waitFor()
  assert.equal(await again.getByLabel(say('schedule.name'), { exact: true }).inputValue(), 'nightly')
  const { items } = await (await context.request.get(`${service.base}/api/v1/schedules`)).json()
  assert.deepEqual(items.map((s) => [s.name, s.kind, s.filter?.source ?? 'local']), [['nightly', 'local', 'local']])
  quiet(complaints)
})

test('none of these pages is a barrier that a machine can find', { timeout: 120_000 }, async () => {
  const found = await inAllAppearances({ page, context, base: service.base }, ['/local-images?highPriority=true', `/local-images/${detail}/hosts`, '/containers', '/agents'])
  assert.deepEqual(found, [])
  quiet(complaints)
})
