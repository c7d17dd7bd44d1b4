import { expect, test } from 'vitest'
import { everything, filterOf, narrowed, recommended, split } from './scope'

test('days of a push are kept as days, so that a schedule counts them when it runs', () => {
  const filter = filterOf({ ...recommended, narrow: { ...everything, newest: true, pushedDays: 7 } })
  expect(filter).toEqual({ newest: true, pushedDays: 7 })
  expect(split(filter).narrow.pushedDays).toBe(7)
  expect(split(filter).rest).toEqual({})
  expect(narrowed(everything)).toEqual({})
})
