import AntApp from 'antd/es/app'
import ConfigProvider from 'antd/es/config-provider'
import { useMemo } from 'react'
import { currentLanguage, useLanguage } from '../i18n'
import { LiveProvider } from './live'
import { useLocale } from './locale'
import { UiProvider, useUi } from './preferences'
import { SessionGate } from './session'
import { Shell } from './Shell'
import { themeOf } from './theme'

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
  const locale = useLocale(language)
  const theme = useMemo(() => themeOf(dark), [dark])

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
