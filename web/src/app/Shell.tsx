import MenuOutlined from '@ant-design/icons/MenuOutlined'
import MoonOutlined from '@ant-design/icons/MoonOutlined'
import SearchOutlined from '@ant-design/icons/SearchOutlined'
import SunOutlined from '@ant-design/icons/SunOutlined'
import TranslationOutlined from '@ant-design/icons/TranslationOutlined'
import UserOutlined from '@ant-design/icons/UserOutlined'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Dropdown from 'antd/es/dropdown'
import Tooltip from 'antd/es/tooltip'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { NavLink, Outlet, useLocation, useNavigate, useNavigation } from 'react-router'
import { signOut } from '../api/session'
import { t } from '../i18n'
import { useKeys } from '../lib/keys'
import { remember } from '../lib/store'
import { errorText } from '../ui/ErrorNote'
import { ExportNotices } from './ExportNotices'
import { useLive } from './live'
import { navigation, places } from './navigation'
import { useUi } from './preferences'
import { useSession } from './session'

const Jump = lazy(() => import('./Jump'))
const Shortcuts = lazy(() => import('./Shortcuts'))

export function Shell() {
  const { may, session } = useSession()
  const { connected } = useLive()
  const location = useLocation()
  const navigate = useNavigate()
  const loading = useNavigation().state === 'loading'
  const [open, setOpen] = useState(false) // the navigation, on small screens
  const [jump, setJump] = useState(false)
  const [help, setHelp] = useState(false)
  const main = useRef<HTMLElement>(null)

  const section = places.find((p) => (p.path === '/' ? location.pathname === '/' : location.pathname.startsWith(p.path)))
  useEffect(() => {
    document.title = section ? `${t(section.label)} · Pratique` : 'Pratique'
  }, [section])

  useKeys({
    'mod+k': () => setJump(true),
    '?': () => setHelp(true),
    ...Object.fromEntries(places.filter((p) => may(p.right)).map((p) => [`g ${p.key}`, () => navigate(p.path)])),
  })

  return (
    <div className={`shell${open ? ' open' : ''}${connected ? '' : ' with-banner'}`}>
      <a className="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus() }}>{t('shell.skip')}</a>
      <header>
        <Button className="menu-button" type="text" icon={<MenuOutlined aria-hidden />} aria-label={t('shell.menu')} aria-expanded={open} onClick={() => setOpen(!open)} />
        <a href="/" className="brand" aria-label="Pratique"><img src="/favicon.svg" alt="" /><span className="word">Pratique</span></a>
        {session.demo && <span className="tag warn demo" title={t('shell.demoHelp')}>{t('shell.demo')}</span>}
        <div className="grow" />
        <button type="button" className="jump" onClick={() => setJump(true)}>
          <SearchOutlined aria-hidden /><span className="word">{t('shell.jump')}</span><kbd aria-hidden>{/Mac/.test(navigator.platform) ? '⌘' : 'Ctrl'} K</kbd>
        </button>
        <Preferences help={() => setHelp(true)} />
      </header>
      {!connected && <div className="banner" role="status">{t('shell.reconnecting')}</div>}
      <nav aria-label={t('shell.navigation')} onClick={() => setOpen(false)}>
        {navigation.map((group, i) => (
          <div key={i}>
            {group.label && <div className="nav-group">{t(group.label)}</div>}
            <ul className="nav-list">
              {group.places.filter((p) => may(p.right)).map((p) => (
                <li key={p.path}>
                  <NavLink to={p.path} end={p.path === '/'}><p.icon aria-hidden />{t(p.label)}</NavLink>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <main id="main" ref={main} tabIndex={-1} aria-busy={loading}>
        <div className={`list-progress${loading ? ' on' : ''}`} style={{ position: 'fixed', top: 48, left: 0, right: 0 }} />
        <Outlet />
      </main>
      <ExportNotices />
      <Suspense>
        {jump && <Jump close={() => setJump(false)} />}
        {help && <Shortcuts close={() => setHelp(false)} />}
      </Suspense>
    </div>
  )
}

function Preferences({ help }: { help(): void }) {
  const { session } = useSession()
  const { ui, dark, change } = useUi()
  const { message } = AntApp.useApp()
  const navigate = useNavigate()

  async function leave() {
    try {
      await signOut()
      remember('signedIn', false)
      window.location.assign('/')
    } catch (e) {
      void message.error(errorText(e as Error))
    }
  }

  return (
    <>
      <Tooltip title={ui.language === 'en' ? '切换到中文' : 'Switch to English'}>
        <Button type="text" icon={<TranslationOutlined aria-hidden />} aria-label={ui.language === 'en' ? '切换到中文' : 'Switch to English'} onClick={() => change({ language: ui.language === 'en' ? 'zh' : 'en' })} />
      </Tooltip>
      <Tooltip title={dark ? t('shell.light') : t('shell.dark')}>
        <Button type="text" icon={dark ? <SunOutlined aria-hidden /> : <MoonOutlined aria-hidden />} aria-label={dark ? t('shell.light') : t('shell.dark')} onClick={() => change({ theme: dark ? 'light' : 'dark' })} />
      </Tooltip>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'profile', label: t('nav.profile'), onClick: () => void navigate('/profile') },
            { key: 'keys', label: t('keys.title'), onClick: help },
            { type: 'divider' },
            { key: 'leave', label: t('shell.signOut'), onClick: () => void leave() },
          ],
        }}
      >
        <Button type="text" icon={<UserOutlined aria-hidden />} aria-label={t('shell.account', { name: session.user.name })}>{session.user.name}</Button>
      </Dropdown>
    </>
  )
}
