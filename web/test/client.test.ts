import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { generate } from '../scripts/client.mjs'

test('the client is generated from the description that is kept', async () => {
  expect(await readFile('src/api/schema.ts', 'utf8')).toBe(await generate())
}, 60_000)
