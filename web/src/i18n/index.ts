// Two languages, equal from the first page on. A catalogue is loaded when it is
// needed; both have the same keys, which a test compares.
import i18next from 'i18next'
import { useSyncExternalStore } from 'react'
import { catalogues, type Language } from './catalogues'
import type en from './en.json'
import { compile, translated } from './phrases'

export type { Language }
export const languages: { value: Language; label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'zh', label: '简体中文' },
]

type Plain<K> = K extends `${infer Stem}_one` | `${infer Stem}_other` ? Stem : K
export type Key = Plain<keyof typeof en>
type Values = Record<string, string | number>

const instance = i18next.createInstance()
const ready = instance.init({
  lng: 'en',
  fallbackLng: false,
  resources: {},
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false }, // React escapes
  showSupportNotice: false,
} as Parameters<typeof instance.init>[0])

/** The catalogue in use. What has neither number nor name in it is read here: a list says a thousand words. */
let words: Record<string, string> = {}
let phrases: ReturnType<typeof compile> = []
let version = 0
const listeners = new Set<() => void>()

/** setLanguage loads a language and shows everything in it. */
export async function setLanguage(language: Language): Promise<void> {
  await ready
  const catalogue = (await catalogues[language]()).default
  if (!instance.hasResourceBundle(language, 'translation')) instance.addResourceBundle(language, 'translation', catalogue)
  // The first page need not wait for what is said when something is wrong.
  if (language === 'zh' && phrases.length === 0) {
    void import('./phrases.zh.json').then((book) => {
      phrases = compile(book.default)
      changed()
    })
  }
  words = catalogue
  if (instance.language === language) return
  await instance.changeLanguage(language)
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  changed()
}

function changed() {
  version++
  for (const tell of listeners) tell()
}

export function currentLanguage(): Language {
  return instance.language === 'zh' ? 'zh' : 'en'
}

/** t translates a key that is known when the program is written. */
export function t(key: Key, values?: Values): string {
  return values ? (instance.t(key as string, values) as string) : (words[key] ?? key)
}

/** tx translates a word of the API ("status", "failed"), or shows it as it is when it is new to us. */
export function tx(group: string, word: string | undefined, values?: Values): string {
  if (!word) return ''
  const key = `${group}.${word}`
  if (!values) return words[key] ?? word
  return instance.exists(key) ? (instance.t(key, values) as string) : word
}

/** useLanguage renders a component again when the language changes. */
export function useLanguage(): Language {
  useSyncExternalStore(
    (tell) => {
      listeners.add(tell)
      return () => void listeners.delete(tell)
    },
    () => version,
  )
  return currentLanguage()
}

/** say picks a text that the service has in both languages. A Chinese one that ends with an English sentence of the service gets that one's translation. */
export function say(text: { en?: string; zh?: string } | undefined | null): string {
  if (!text) return ''
  const { en = '', zh = '' } = text
  if (currentLanguage() === 'en') return en || zh
  if (!zh || !en) return zh || spoken(en).text
  return zh.endsWith(en) ? zh.slice(0, -en.length) + spoken(en).text : zh
}

/** told is a sentence of the service in the language of the console, or undefined when it is not known in it. */
export function told(sentence: string | undefined | null): string | undefined {
  if (!sentence) return undefined
  return currentLanguage() === 'zh' ? translated(sentence, phrases) : sentence
}

/** spoken is told, or else the sentence itself; lang says in which language it is. */
export function spoken(sentence: string): { text: string; lang?: string } {
  const text = told(sentence)
  return text === undefined ? { text: sentence, lang: 'en' } : { text }
}

/** begun is a sentence that begins with a capital letter, as the service's do not; what begins with a name stays as it is. */
export const begun = (sentence: string) => (/^[a-z]+(?:'s)? [a-z]/.test(sentence) ? sentence.charAt(0).toUpperCase() + sentence.slice(1) : sentence)
