import { expect, test } from 'vitest'
import { after, countOf, nothing, ticked, toggled, type Selection } from './selection'

test('ticks on one page leave those of other pages alone', () => {
  let s = after(nothing, [1, 2, 3], [1, 3])
  s = after(s, [4, 5, 6], [4, 5, 6])
  s = after(s, [1, 2, 3], [2])
  expect(s).toEqual({ mode: 'some', keys: [4, 5, 6, 2] })
  expect(ticked(s, [1, 2, 3])).toEqual([2])
  expect(countOf(s, 100)).toBe(4)
})

test('all but some', () => {
  let s: Selection = { mode: 'all', except: [] }
  s = after(s, [1, 2, 3], [1, 3])
  s = toggled(s, 9)
  expect(s).toEqual({ mode: 'all', except: [2, 9] })
  expect(ticked(s, [1, 2, 9, 10])).toEqual([1, 10])
  expect(countOf(s, 100)).toBe(98)
  expect(countOf(s, undefined)).toBeUndefined()
  expect(toggled(s, 2)).toEqual({ mode: 'all', except: [9] })
})
