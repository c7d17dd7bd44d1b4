// What a browser shows before the service has said what its user likes.
import type { Language } from '../i18n/catalogues'
import { recall } from '../lib/store'

export interface Ui {
  language: Language
  theme: 'system' | 'light' | 'dark'
  density: 'compact' | 'comfortable'
}

/** first is what was chosen here the last time, or else what the browser's languages say. */
export function first(): Ui {
  const zh = navigator.languages?.some((l) => l.toLowerCase().startsWith('zh')) && !navigator.languages[0]?.toLowerCase().startsWith('en')
  return { language: zh ? 'zh' : 'en', theme: 'system', density: 'compact', ...recall<Partial<Ui>>('ui') }
}
