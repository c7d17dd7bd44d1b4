import { useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Radio from 'antd/es/radio'
import { ChangePassword } from '../../app/ChangePassword'
import { useUi, type Ui } from '../../app/preferences'
import { useSession } from '../../app/session'
import { languages, t, tx } from '../../i18n'
import { listed } from '../../lib/format'
import { Fact, PageHead, Panel, Time } from '../../ui/bits'

export function Component() {
  const { session } = useSession()
  const { ui, change } = useUi()
  const { message } = AntApp.useApp()
  const queries = useQueryClient()
  return (
    <>
      <PageHead title={t('nav.profile')} sub={session.user.name} />
      <div className="grid" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(340px, 100%), 1fr))', maxWidth: 1100, alignItems: 'start' }}>
        <Panel title={t('profile.preferences')}>
          <div className="stack">
            <Choice label={t('profile.language')} value={ui.language} choose={(language) => change({ language })} options={languages} />
            <Choice<Ui['theme']>
              label={t('profile.theme')}
              value={ui.theme}
              choose={(theme) => change({ theme })}
              options={[{ value: 'system', label: t('profile.system') }, { value: 'light', label: t('profile.light') }, { value: 'dark', label: t('profile.dark') }]}
            />
            <Choice<Ui['density']>
              label={t('profile.density')}
              value={ui.density}
              choose={(density) => change({ density })}
              options={[{ value: 'compact', label: t('profile.compact') }, { value: 'comfortable', label: t('profile.comfortable') }]}
            />
            <p className="muted" style={{ margin: 0 }}>{t('profile.columns')}</p>
          </div>
        </Panel>
        <Panel title={t('password.change')}>
          <ChangePassword done={(next) => { queries.setQueryData(['session'], next); void message.success(t('password.changed')) }} />
        </Panel>
        <Panel title={t('profile.session')}>
          <dl className="facts">
            <Fact label={t('signin.name')}>{session.user.name}</Fact>
            <Fact label={t('profile.role')}>{tx('role', session.user.role)}</Fact>
            <Fact label={t('profile.rights')}>{listed((session.rights ?? []).map((r) => tx('right', r)))}</Fact>
            <Fact label={t('profile.since')}><Time value={session.created} /></Fact>
            <Fact label={t('profile.ends')}><Time value={session.ends} /></Fact>
          </dl>
        </Panel>
      </div>
    </>
  )
}

interface ChoiceProps<T extends string> {
  label: string
  value: T
  options: { value: T; label: string }[]
  choose(value: T): void
}

function Choice<T extends string>({ label, value, options, choose }: ChoiceProps<T>) {
  return (
    <div>
      <div className="muted" style={{ marginBottom: 4 }}>{label}</div>
      <Radio.Group optionType="button" aria-label={label} value={value} options={options} onChange={(e) => choose(e.target.value as T)} />
    </div>
  )
}
