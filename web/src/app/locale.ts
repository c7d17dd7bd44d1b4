// The component library's own words ("OK", "Clear"), by language.
import type { Locale } from 'antd/es/locale'
import { useEffect, useState } from 'react'
import type { Language } from '../i18n'

const load: Record<Language, () => Promise<{ default: Locale }>> = {
  en: () => import('antd/es/locale/en_US'),
  zh: () => import('antd/es/locale/zh_CN'),
}
const loaded: Partial<Record<Language, Locale>> = {}

/** loadLocale makes them ready. A page that is rendered before they are there is made anew, whole, when they come. */
export async function loadLocale(language: Language): Promise<Locale> {
  return (loaded[language] ??= (await load[language]()).default)
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
