// The component library's own words in the language of the console.
import type { Locale } from 'antd/es/locale'
import { useEffect, useState } from 'react'
import type { Language } from '../i18n'
import { locales } from './locales'

const loaded: Partial<Record<Language, Locale>> = {}

/** loadLocale makes them ready. A page that is rendered before they are there is made anew, whole, when they come. */
export async function loadLocale(language: Language): Promise<Locale> {
  return (loaded[language] ??= (await locales[language]()).default)
}

/** useLocale are the words of a language; those of the one before, until they are there. */
export function useLocale(language: Language): Locale | undefined {
  const [locale, setLocale] = useState(loaded[language])
  useEffect(() => {
    let wanted = true
    void loadLocale(language).then((l) => wanted && setLocale(l))
    return () => {
      wanted = false
    }
  }, [language])
  return locale
}
