// Numbers, sizes and times as people of the chosen language write them.
import { currentLanguage } from '../i18n'

const locale = () => (currentLanguage() === 'zh' ? 'zh-CN' : 'en-GB')

export function number(n: number | undefined | null): string {
  return n === undefined || n === null ? '–' : new Intl.NumberFormat(locale()).format(n)
}

/** compact writes 12 345 as 12.3K, for places that are too small for it. */
export function compact(n: number): string {
  return n < 10_000 ? number(n) : new Intl.NumberFormat(locale(), { notation: 'compact', maximumFractionDigits: 1 }).format(n)
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
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: value < 10 && i > 0 ? 1 : 0 }).format(value)} ${units[i]}`
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
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
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
  return new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share)
}

/** short is a digest that people can tell apart: the first 12 hex digits. */
export function short(digest: string | undefined): string {
  return digest ? digest.replace(/^sha256:/, '').slice(0, 12) : '–'
}

/** listed joins words as the language does. */
export function listed(words: string[]): string {
  return words.join(currentLanguage() === 'zh' ? '、' : ', ')
}
