import { expect, test } from 'vitest'
import { toFilter } from './images'

test('what is in the address becomes the filter of a scan', () => {
  expect(
    toFilter({ status: ['failed', 'cancelled'], registry: '3,4', newest: 'true', fixable: 'false', search: 'shop web', scannedFrom: '2026-11-01T00:00:00.000Z', component: '7' }),
  ).toEqual({
    status: ['failed', 'cancelled'], registries: [3, 4], newest: true, search: 'shop web', scannedAt: { from: '2026-11-01T00:00:00.000Z', to: undefined }, components: [7],
  })
})

test('nothing narrows nothing', () => {
  expect(toFilter({})).toEqual({})
})
