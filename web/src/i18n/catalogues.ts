// The catalogues of both languages, each a file that is loaded when it is needed.
export type Language = 'en' | 'zh'

export const catalogues: Record<Language, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import('./en.json'),
  zh: () => import('./zh.json'),
}
