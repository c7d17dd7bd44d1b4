import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Form from 'antd/es/form'
import Input from 'antd/es/input'
import InputNumber from 'antd/es/input-number'
import Select from 'antd/es/select'
import { useState } from 'react'
import { listRegistries } from '../../api/registries'
import { getSettings, setSettings, type Settings } from '../../api/settings'
import { t } from '../../i18n'
import { PageHead, Panel } from '../../ui/bits'
import { ErrorNote } from '../../ui/ErrorNote'
import { TimeOfDay } from '../../ui/TimeOfDay'

interface Values {
  enabled: boolean
  from: string
  to: string
  zone: string
  scanOnSync: boolean
  except: number[]
  purgeGoneDays: number
  timeoutMinutes: number
  feedsEveryHours: number
  autoAdopt: boolean
}

/** Settings of the service, for administrators. All of them are kept at once, and count at once. */
export function Component() {
  const asked = useQuery({ queryKey: ['settings'], queryFn: getSettings })
  return (
    <>
      <PageHead title={t('nav.settings')} />
      {asked.error && !asked.data && <ErrorNote error={asked.error} retry={() => void asked.refetch()} />}
      {asked.data && <SettingsForm settings={asked.data} />}
    </>
  )
}

function SettingsForm({ settings: s }: { settings: Settings }) {
  const queries = useQueryClient()
  const { message } = AntApp.useApp()
  const registries = useQuery({ queryKey: ['registries', 'all'], queryFn: ({ signal }) => listRegistries({}, signal) })
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const [changed, setChanged] = useState(false)

  async function save(v: Values) {
    setBusy(true)
    setError(undefined)
    try {
      const kept = await setSettings({
        syncWindow: { enabled: v.enabled, from: v.from, to: v.to, zone: v.zone.trim() },
        scanOnSync: v.scanOnSync, scanOnSyncExcept: v.except, purgeGoneDays: v.purgeGoneDays,
        scanTimeoutSeconds: v.timeoutMinutes * 60, feedsEveryHours: v.feedsEveryHours, autoAdopt: v.autoAdopt,
      })
      queries.setQueryData(['settings'], kept)
      setChanged(false)
      void message.success(t('settings.saved'))
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Form<Values>
      onFinish={(v) => void save(v)}
      onValuesChange={() => setChanged(true)}
      initialValues={{
        ...s.syncWindow, scanOnSync: s.scanOnSync, except: s.scanOnSyncExcept ?? [], purgeGoneDays: s.purgeGoneDays, timeoutMinutes: Math.max(1, Math.round(s.scanTimeoutSeconds / 60)),
        feedsEveryHours: s.feedsEveryHours, autoAdopt: s.autoAdopt,
      }}
    >
      <div className="stack" style={{ maxWidth: 960 }}>
        <Panel title={t('settings.sync')}>
          <div className="settings wide">
            <h3>{t('settings.daily')}</h3>
            <div>
              <Form.Item name="enabled" valuePropName="checked" noStyle><Checkbox>{t('settings.syncDaily')}</Checkbox></Form.Item>
              <div className="row wrap" style={{ gap: 16, marginTop: 8 }}>
                <label className="row">{t('settings.from')}<Form.Item name="from" noStyle><TimeOfDay required /></Form.Item></label>
                <label className="row">{t('settings.to')}<Form.Item name="to" noStyle><TimeOfDay required /></Form.Item></label>
                <label className="row">{t('settings.zone')}<Form.Item name="zone" noStyle><Input style={{ width: 180 }} placeholder="Asia/Shanghai" /></Form.Item></label>
              </div>
              <p className="muted">{t('settings.zoneHelp')}</p>
            </div>
            <h3>{t('settings.afterSync')}</h3>
            <div>
              <Form.Item name="scanOnSync" valuePropName="checked" noStyle><Checkbox>{t('settings.scanOnSync')}</Checkbox></Form.Item>
              <p className="muted">{t('settings.scanOnSyncHelp')}</p>
              <label className="row" style={{ marginTop: 8 }}>
                <span className="nowrap">{t('settings.except')}</span>
                <Form.Item name="except" noStyle><Select mode="multiple" allowClear optionFilterProp="label" placeholder={t('settings.exceptNone')} style={{ flex: '1 1 0', maxWidth: 480 }} options={(registries.data?.items ?? []).map((r) => ({ value: r.id, label: r.name }))} /></Form.Item>
              </label>
              <p className="muted">{t('settings.exceptHelp')}</p>
            </div>
            <h3>{t('settings.gone')}</h3>
            <Amount name="purgeGoneDays" unit={t('settings.days')} max={3650} label={t('settings.gone')} help={t('settings.purgeHelp')} />
          </div>
        </Panel>
        <Panel title={t('settings.scans')}>
          <div className="settings wide">
            <h3>{t('scan.timeout')}</h3>
            <Amount name="timeoutMinutes" unit={t('scan.minutes')} min={1} max={1440} label={t('scan.timeout')} help={t('scan.timeoutHelp')} />
          </div>
        </Panel>
        <Panel title={t('nav.feeds')}>
          <div className="settings wide">
            <h3>{t('settings.feedsEvery')}</h3>
            <Amount name="feedsEveryHours" unit={t('agent.hours')} max={2160} label={t('settings.feedsEvery')} help={t('settings.feedsEveryHelp')} />
            <h3>{t('settings.adoption')}</h3>
            <div>
              <Form.Item name="autoAdopt" valuePropName="checked" noStyle><Checkbox>{t('settings.autoAdopt')}</Checkbox></Form.Item>
              <p className="muted">{t('settings.autoAdoptHelp')}</p>
            </div>
          </div>
        </Panel>
        {error && <ErrorNote error={error} />}
        <div className="save-bar"><Button type="primary" htmlType="submit" loading={busy} disabled={!changed}>{t('settings.save')}</Button>{changed && <span className="muted" role="status">{t('settings.unsaved')}</span>}</div>
      </div>
    </Form>
  )
}

/** Amount is a number with its unit, and what it means. */
function Amount({ name, label, unit, help, min = 0, max }: { name: keyof Values; label: string; unit: string; help: string; min?: number; max: number }) {
  return (
    <div>
      <span className="row"><Form.Item name={name} noStyle><InputNumber min={min} max={max} precision={0} aria-label={label} /></Form.Item>{unit}</span>
      <p className="muted">{help}</p>
    </div>
  )
}
