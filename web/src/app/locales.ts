// The component library's own words ("OK", "Clear"), by language.
import type { Locale } from 'antd/es/locale'
import type { Language } from '../i18n/catalogues'

export const locales: Record<Language, () => Promise<{ default: Locale }>> = {
  en: () => import('antd/es/locale/en_US'),
  zh: () => import('antd/es/locale/zh_CN'),
}
