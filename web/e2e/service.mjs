// The service under test, and a registry for it: both real, both on loopback. The
// registry is the demonstration's, which has a dozen images with something of
// everything, and feeds that know about them.
import { spawn } from 'node:child_process'
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const patience = 60_000 // ms for a process to say that it is there

async function freePort() {
  const server = createServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

/** start runs the binary until it has printed what matches. */
export async function start(binary, args, pattern, env = {}) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let text = ''
  const found = await new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`${args[0]} did not start:\n${text}`)), patience)
    const look = (chunk) => {
      text += chunk
      const m = text.match(pattern)
      if (m) {
        clearTimeout(timer)
        done(m)
      }
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.on('exit', (code) => fail(new Error(`${args[0]} ended with ${code}:\n${text}`)))
  })
  return { found, stop: () => stop(child) }
}

function stop(child) {
  if (child.exitCode !== null) return Promise.resolve()
  return new Promise((done) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 20_000)
    child.removeAllListeners('exit')
    child.on('exit', () => {
      clearTimeout(kill)
      done()
    })
    child.kill('SIGTERM')
  })
}

/** demonstration has a registry and feeds to offer. */
export async function demonstration(binary) {
  const data = await mkdtemp(join(tmpdir(), 'pratique-demo-'))
  const port = await freePort()
  const { stop } = await start(binary, ['demo', '--data', data, '--listen', `127.0.0.1:${port}`], /Sign in as/)
  const base = `http://127.0.0.1:${port}`
  const headers = { 'X-Requested-With': 'test', 'Content-Type': 'application/json' }
  const session = await fetch(`${base}/api/v1/session`, { method: 'POST', headers, body: JSON.stringify({ name: 'admin', password: 'demonstration' }) })
  const cookie = session.headers.get('set-cookie').split(';')[0]
  const { items } = await (await fetch(`${base}/api/v1/registries`, { headers: { cookie } })).json()
  return { registry: items[0].address, feeds: join(data, 'feeds'), base, end: async () => { await stop(); await rm(data, { recursive: true, force: true }) } }
}

/**
 * Service is a new installation that knows the demonstration's advisories. With
 * movable it is run by the program of its tests ("go test -c ./cmd/pratique"), which
 * is the same service, but that its schedules look at a clock that can be moved.
 */
export class Service {
  constructor(binary, { movable = false, agents = false } = {}) {
    this.binary = binary
    this.agents = agents
    this.movable = movable
  }

  /** ahead moves the clock of schedules to a moment. */
  async ahead(moment) {
    const file = join(this.data, 'clock')
    await writeFile(`${file}.new`, String(Math.round((moment - Date.now()) / 1000)))
    await rename(`${file}.new`, file)
  }

  /** begin starts it, with feeds or a database that are there already. */
  async begin(feeds, database) {
    this.data = await mkdtemp(join(tmpdir(), 'pratique-e2e-'))
    if (feeds) await cp(feeds, join(this.data, 'feeds'), { recursive: true })
    if (database) await cp(database, join(this.data, 'pratique.db'))
    this.port = await freePort()
    this.base = `http://127.0.0.1:${this.port}`
    const { found, stop } = await this.#run(/one-time password (\S+)/)
    this.password = found[1]
    this.stop = stop
  }

  async again() {
    const { stop } = await this.#run(/is at (\S+)/)
    this.stop = stop
  }

  #run(pattern) {
    const args = ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port}`, '--feeds-every', '0', ...(this.agents ? ['--agent-listen', '127.0.0.1:0'] : [])]
    if (!this.movable) return start(this.binary, args, pattern)
    return start(this.binary, [], pattern, { PRATIQUE_TEST_VICTIM: args.join('|'), PRATIQUE_TEST_CLOCK: join(this.data, 'clock') })
  }

  async end() {
    await this.stop()
    await rm(this.data, { recursive: true, force: true })
  }
}
