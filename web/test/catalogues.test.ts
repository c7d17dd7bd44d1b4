// English and Chinese are equals: the same keys, the same values to fill in, and
// no key that nothing shows or that the source asks for in vain.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import en from '../src/i18n/en.json'
import zh from '../src/i18n/zh.json'

type Catalogue = Record<string, string>
const plural = /_(one|other)$/
const stem = (key: string) => key.replace(plural, '')

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) return sources(path)
    return /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) ? [readFileSync(path, 'utf8')] : []
  })
}
const source = sources('src').join('\n')

// Words: t('key'). Groups: tx('group', word). Keys as data: key: 'images.title' as Key.
const keys = new Set([...source.matchAll(/\bt\(\s*'([^']+)'/g), ...source.matchAll(/'([a-z][\w.]+)' (?:as|satisfies) Key\b/g)].map((m) => m[1]))
const groups = new Set([...source.matchAll(/\btx\(\s*'([^']+)'/g)].map((m) => m[1]))

test('no key is there twice', () => {
  // A parser takes the last one, and says nothing.
  for (const name of ['en', 'zh', 'phrases.zh']) {
    const all = [...readFileSync(`src/i18n/${name}.json`, 'utf8').matchAll(/^\s*("(?:[^"\\]|\\.)+"):/gm)].map((m) => m[1])
    expect(all.length, name).toBeGreaterThan(100)
    expect(all.filter((key, i) => all.indexOf(key) !== i), name).toEqual([])
  }
})

test('both languages have the same keys', () => {
  const one = new Set(Object.keys(en).map(stem))
  const other = new Set(Object.keys(zh).map(stem))
  expect([...one].filter((key) => !other.has(key))).toEqual([])
  expect([...other].filter((key) => !one.has(key))).toEqual([])
})

test('no translation is empty, and both fill in the same values', () => {
  const holes = (text: string) => [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]))].filter((name) => name !== 'count').sort()
  for (const [key, text] of Object.entries(zh as Catalogue)) {
    expect(text.trim(), key).not.toBe('')
    const same = (en as Catalogue)[key] ?? (en as Catalogue)[`${stem(key)}_other`]
    expect(holes(text), key).toEqual(holes(same))
  }
  for (const [key, text] of Object.entries(en as Catalogue)) {
    expect(text.trim(), key).not.toBe('')
    if (key.endsWith('_one')) expect(en, key).toHaveProperty([`${stem(key)}_other`])
  }
})

test('Chinese is Chinese', () => {
  // Names, units and codes are the same in both languages.
  const same = Object.entries(zh as Catalogue).filter(([key, text]) => text === (en as Catalogue)[key] && /[a-z]{4,} [a-z]{3,}/i.test(text))
  expect(same).toEqual([])
})

test('every key that the source asks for exists, and none is left over', () => {
  const known = new Set(Object.keys(en).map(stem))
  expect([...keys].filter((key) => !known.has(key))).toEqual([])
  const unused = [...known].filter((key) => !keys.has(key) && ![...groups].some((group) => key.startsWith(`${group}.`)))
  expect(unused).toEqual([])
})
