// Fails when what a browser has to load until Repository images is on the screen
// is larger than the budget: the entry, the page's own script, the catalogue of
// one language, and all that these import, compressed as the service sends it.
import { readFileSync, rmSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const budget = 450 * 1024 // bytes of script, gzip
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
rmSync(new URL('.vite', dist), { recursive: true }) // not for browsers

function size(file) {
  return gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length
}

// closure collects a chunk and what it imports before it can run.
function closure(name, into = new Set()) {
  if (into.has(name)) return into
  into.add(name)
  for (const next of manifest[name]?.imports ?? []) closure(next, into)
  return into
}

const entries = Object.keys(manifest).filter((name) => manifest[name].isEntry)
const pages = Object.keys(manifest).filter((name) => /^src\/pages\//.test(name) && manifest[name].isDynamicEntry)
const languages = Object.keys(manifest).filter((name) => /^src\/i18n\/(en|zh)\./.test(name))

function bytes(...names) {
  const all = new Set()
  for (const name of names) closure(name, all)
  let sum = 0
  for (const name of all) sum += size(manifest[name].file)
  return sum
}

const largestLanguage = languages.sort((a, b) => bytes(b) - bytes(a))[0]
const base = [...entries, largestLanguage].filter(Boolean)
console.log(`entry and ${largestLanguage}: ${(bytes(...base) / 1024).toFixed(0)} KiB gzip`)
for (const page of pages) console.log(`  + ${page}: ${(bytes(...base, page) / 1024).toFixed(0)} KiB`)

const images = pages.find((name) => /images\/ImagesPage/.test(name))
if (!images) process.exit(0)
if (bytes(...base, images) > budget) {
  console.error(`Repository images needs ${(bytes(...base, images) / 1024).toFixed(0)} KiB of script; the budget is ${budget / 1024} KiB`)
  process.exit(1)
}
