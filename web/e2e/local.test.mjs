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
import { inAllAppearances, quiet, steps, words } from './walk.mjs'

const binary = process.env.PRATIQUE_BINARY ?? new URL('../../bin/pratique', import.meta.url).pathname
const say = words('en')

let service, dir, dockerd, agent, browser, page, complaints, context

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
  const dialog = page.locator('.ant-modal-confirm')
  await dialog.waitFor()
  await page.waitForTimeout(400)
  await dialog.getByRole('button', { name: 'OK', exact: true }).click()
  await row.getByText(say('status.scanned'), { exact: true }).waitFor({ timeout: 90_000 })
  await button('local.highPriorityOnly').click()
  await row.getByText(new RegExp(say('reason.live_secret'))).waitFor()
  await row.getByRole('link', { name: say('images.details'), exact: true }).click()
  await page.getByRole('dialog').getByText(say('detail.risk')).waitFor()
  assert.match(page.url(), /\/local-images\/\d+\?.*highPriority=true/)
  quiet(complaints)
})

test('none of these pages is a barrier that a machine can find', { timeout: 120_000 }, async () => {
  const row = page.url().match(/\/local-images\/(\d+)/)[1]
  const found = await inAllAppearances({ page, context, base: service.base }, ['/local-images?highPriority=true', `/local-images/${row}/hosts`, '/containers', '/agents'])
  assert.deepEqual(found, [])
  quiet(complaints)
})
