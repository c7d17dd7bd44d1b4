import { expect, test } from 'vitest'
import type { ExportKind } from '../api/exports'
import { columnsFor, rowsOf, sortFor } from './exporting'
import { nothing } from './selection'

const images: ExportKind = { id: 'images', label: { en: '', zh: '' }, filters: [], sorts: ['name', 'size'], columns: ['name', 'tag', 'status', 'scanError', 'scannedAt', 'risk', 'size'].map((id) => ({ id, title: { en: id, zh: id } })) }

test('the file has the columns of the list in their order', () => {
  expect(columnsFor(images, ['name', 'scanned', 'address', 'status'])).toEqual(['name', 'scannedAt', 'status', 'scanError'])
})

test('without a list it has all of them', () => {
  expect(columnsFor(images, [])).toEqual(['name', 'tag', 'status', 'scanError', 'scannedAt', 'risk', 'size'])
})

test('a finding says in which images it is', () => {
  const kind = { ...images, id: 'findings', columns: ['images', 'vulnerability', 'severity'].map((id) => ({ id, title: { en: id, zh: id } })) }
  expect(columnsFor(kind, ['severity', 'id'])).toEqual(['images', 'severity', 'vulnerability'])
})

test('an order that the file cannot have is left out', () => {
  expect(sortFor(images, '-size')).toBe('-size')
  expect(sortFor(images, 'worst')).toBeUndefined()
})

test('rows are those that are ticked, all, or all but some', () => {
  const query = { status: ['failed'], search: 'shop' }
  expect(rowsOf({ kind: 'images' }, { query, selection: { mode: 'some', keys: [4, 7] } }, true)).toEqual({ images: { ids: [4, 7] } })
  expect(rowsOf({ kind: 'images' }, { query, selection: { mode: 'some', keys: [4, 7] } }, false)).toEqual({ images: { status: ['failed'], search: 'shop' } })
  expect(rowsOf({ kind: 'images' }, { query, selection: { mode: 'all', except: [4] } }, true)).toEqual({ images: { status: ['failed'], search: 'shop', exclude: [4] } })
})

test('what was found is narrowed by what was found and by where', () => {
  const query = { severity: ['critical'], type: 'deb,rpm', registry: '3', newest: 'true', fixable: 'true' }
  expect(rowsOf({ kind: 'findings', images: { imageIDs: ['sha256:1'] } }, { query, selection: nothing }, false)).toEqual({
    images: { registries: [3], newest: true, imageIDs: ['sha256:1'] }, findings: { severities: ['critical'], types: ['deb', 'rpm'], fixable: true },
  })
  expect(rowsOf({ kind: 'vulnerabilities' }, { query, selection: nothing }, false)).toEqual({ findings: { severities: ['critical'], types: ['deb', 'rpm'], fixable: true, registries: [3], newest: true } })
})

test('the changes of an image', () => {
  expect(rowsOf({ kind: 'changes', images: { imageIDs: ['sha256:1'] } }, { query: { change: ['fixed'], cause: 'rules' }, selection: nothing }, false)).toEqual({
    events: { imageID: 'sha256:1', changes: ['fixed'], causes: ['rules'] },
  })
})

test('the scans of a task', () => {
  expect(rowsOf({ kind: 'scans' }, { query: { task: ['5'], status: 'failed' }, selection: nothing }, false)).toEqual({ scans: { tasks: [5], status: ['failed'] } })
})
