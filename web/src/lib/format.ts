// Numbers, sizes and times as people of the chosen language write them.
import { currentLanguage } from '../i18n'

const locale = () => (currentLanguage() === 'zh' ? 'zh-CN' : 'en-GB')

/** once makes a formatter for each language once: making one takes longer than a hundred uses. */
function once<F>(make: (locale: string) => F): () => F {
  const made = new Map<string, F>()
  return () => {
    const name = locale()
    let format = made.get(name)
    if (!format) made.set(name, (format = make(name)))
    return format
  }
}

const plain = once((l) => new Intl.NumberFormat(l))
const rough = once((l) => new Intl.NumberFormat(l, { notation: 'compact', maximumFractionDigits: 1 }))
const whole = once((l) => new Intl.NumberFormat(l, { maximumFractionDigits: 0 }))
const tenths = once((l) => new Intl.NumberFormat(l, { maximumFractionDigits: 1 }))
const wholePercent = once((l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: 0 }))
const tenthsPercent = once((l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: 1 }))
const relative = once((l) => new Intl.RelativeTimeFormat(l, { numeric: 'auto' }))

export function number(n: number | undefined | null): string {
  return n === undefined || n === null ? '–' : plain().format(n)
}

/** compact writes 12 345 as 12.3K, for places that are too small for it. */
export function compact(n: number): string {
  return n < 10_000 ? number(n) : rough().format(n)
}

/** bytes in decimal units, as registries count. */
export function bytes(n: number | undefined | null): string {
  if (n === undefined || n === null) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  let value = n
  while (value >= 1000 && i < units.length - 1) {
    value /= 1000
    i++
  }
  return `${(value < 10 && i > 0 ? tenths() : whole()).format(value)} ${units[i]}`
}

/** timestamp is the local time to the minute: 2026-11-27 16:03. */
export function timestamp(value: string | Date | undefined | null): string {
  if (!value) return '–'
  const d = new Date(value)
  if (Number.isNaN(d.getTime()) || d.getUTCFullYear() < 1971) return '–'
  const two = (n: number) => String(n).padStart(2, '0')
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`
}

export function day(value: string | Date | undefined | null): string {
  return timestamp(value).slice(0, 10)
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** ago is "5 minutes ago", "in 2 hours". */
export function ago(value: string | Date | undefined | null, now = Date.now()): string {
  if (!value) return '–'
  const seconds = (new Date(value).getTime() - now) / 1000
  const format = relative()
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  }
  return format.format(0, 'second')
}

/** duration of seconds: "3 h 20 min", "45 s". */
export function duration(seconds: number | undefined | null): string {
  if (seconds === undefined || seconds === null) return '–'
  const zh = currentLanguage() === 'zh'
  const s = Math.max(0, Math.round(seconds))
  const parts: [number, string][] = [
    [Math.floor(s / 86_400), zh ? '天' : 'd'],
    [Math.floor((s % 86_400) / 3600), zh ? '小时' : 'h'],
    [Math.floor((s % 3600) / 60), zh ? '分' : 'min'],
    [s % 60, zh ? '秒' : 's'],
  ]
  const first = parts.findIndex(([n]) => n > 0)
  if (first < 0) return zh ? '0 秒' : '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}

export function percent(share: number): string {
  return (share < 0.1 ? tenthsPercent() : wholePercent()).format(share)
}

/** short is a digest that people can tell apart: the first 12 hex digits. */
export function short(digest: string | undefined): string {
  return digest ? digest.replace(/^sha256:/, '').slice(0, 12) : '–'
}

/** sentences puts whole sentences behind each other. */
export function sentences(...all: (string | false | undefined)[]): string {
  return all.filter(Boolean).join(currentLanguage() === 'zh' ? '' : ' ')
}

/** listed joins words as the language does. */
export function listed(words: string[]): string {
  return words.join(currentLanguage() === 'zh' ? '、' : ', ')
}
