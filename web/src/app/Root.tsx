import AntApp from 'antd/es/app'
import ConfigProvider from 'antd/es/config-provider'
import type { Locale } from 'antd/es/locale'
import { useEffect, useMemo, useState } from 'react'
import { currentLanguage, useLanguage, type Language } from '../i18n'
import { LiveProvider } from './live'
import { UiProvider, useUi } from './preferences'
import { SessionGate } from './session'
import { Shell } from './Shell'
import { themeOf } from './theme'

const locales: Record<Language, () => Promise<{ default: Locale }>> = {
  en: () => import('antd/es/locale/en_US'),
  zh: () => import('antd/es/locale/zh_CN'),
}

/** Root puts around every page what all of them share. */
export function Root() {
  return (
    <UiProvider>
      <Themed />
    </UiProvider>
  )
}

function Themed() {
  const language = useLanguage()
  const { dark } = useUi()
  const [locale, setLocale] = useState<Locale>()
  const theme = useMemo(() => themeOf(dark), [dark])

  useEffect(() => {
    let wanted = true
    void locales[language]().then((m) => wanted && setLocale(m.default))
    return () => {
      wanted = false
    }
  }, [language])

  return (
    <ConfigProvider theme={theme} locale={locale} button={{ autoInsertSpace: false }} wave={{ disabled: true }}>
      <AntApp style={{ height: '100%' }} message={{ maxCount: 3, top: 56 }}>
        <SessionGate>
          <LiveProvider>
            <Shell key={currentLanguage()} />
          </LiveProvider>
        </SessionGate>
      </AntApp>
    </ConfigProvider>
  )
}
