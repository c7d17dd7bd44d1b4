import { expect, test } from 'vitest'
import { arranged, type Column } from './columns'

const column = (key: string, more?: Partial<Column<unknown>>): Column<unknown> => ({ key, title: key, render: () => null, ...more })
const columns = [column('name', { locked: true }), column('tag'), column('size', { optional: true }), column('risk')]
const shown = (choice: Parameters<typeof arranged>[1]) => arranged(columns, choice).filter((c) => c.shown).map((c) => c.column.key)

test('without a choice the program decides', () => {
  expect(shown(null)).toEqual(['name', 'tag', 'risk'])
})

test('a choice decides order and visibility; the locked column stays first', () => {
  expect(shown({ order: ['risk', 'size', 'name', 'tag'], hidden: ['tag'] })).toEqual(['name', 'risk', 'size'])
})

test('a column that the choice does not know stands behind its neighbour', () => {
  expect(shown({ order: ['name', 'risk', 'tag'], hidden: [] })).toEqual(['name', 'risk', 'tag'])
  const grown = [...columns.slice(0, 2), column('new'), ...columns.slice(2)]
  expect(arranged(grown, { order: ['name', 'risk', 'tag', 'size'], hidden: [] }).filter((c) => c.shown).map((c) => c.column.key)).toEqual(['name', 'risk', 'tag', 'new', 'size'])
})
