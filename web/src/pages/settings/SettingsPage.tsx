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
      void message.success(t('settings.saved'))
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Form<Values>
      layout="vertical"
      style={{ maxWidth: 720 }}
      onFinish={(v) => void save(v)}
      initialValues={{
        ...s.syncWindow, scanOnSync: s.scanOnSync, except: s.scanOnSyncExcept ?? [], purgeGoneDays: s.purgeGoneDays, timeoutMinutes: Math.max(1, Math.round(s.scanTimeoutSeconds / 60)),
        feedsEveryHours: s.feedsEveryHours, autoAdopt: s.autoAdopt,
      }}
    >
      <div className="stack">
        <Panel title={t('settings.sync')}>
          <Form.Item name="enabled" valuePropName="checked"><Checkbox>{t('settings.syncDaily')}</Checkbox></Form.Item>
          <div className="row wrap" style={{ gap: 16, alignItems: 'flex-start' }}>
            <Form.Item name="from" label={t('settings.from')}><Input type="time" style={{ width: 120 }} /></Form.Item>
            <Form.Item name="to" label={t('settings.to')}><Input type="time" style={{ width: 120 }} /></Form.Item>
            <Form.Item name="zone" label={t('settings.zone')} extra={t('settings.zoneHelp')}><Input style={{ width: 220 }} placeholder="Asia/Shanghai" /></Form.Item>
          </div>
          <Form.Item name="scanOnSync" valuePropName="checked" extra={t('settings.scanOnSyncHelp')}><Checkbox>{t('settings.scanOnSync')}</Checkbox></Form.Item>
          <Form.Item name="except" label={t('settings.except')} extra={t('settings.exceptHelp')}>
            <Select mode="multiple" allowClear optionFilterProp="label" placeholder={t('settings.exceptNone')} style={{ maxWidth: 480 }} options={(registries.data?.items ?? []).map((r) => ({ value: r.id, label: r.name }))} />
          </Form.Item>
          <Form.Item name="purgeGoneDays" label={t('settings.purge')} extra={t('settings.purgeHelp')}><InputNumber min={0} max={3650} precision={0} /></Form.Item>
        </Panel>
        <Panel title={t('settings.scans')}>
          <Form.Item name="timeoutMinutes" label={t('settings.timeout')} extra={t('scan.timeoutHelp')}><InputNumber min={1} max={1440} precision={0} /></Form.Item>
        </Panel>
        <Panel title={t('nav.feeds')}>
          <Form.Item name="feedsEveryHours" label={t('settings.feedsEvery')} extra={t('settings.feedsEveryHelp')}><InputNumber min={0} max={2160} precision={0} /></Form.Item>
          <Form.Item name="autoAdopt" valuePropName="checked" extra={t('settings.autoAdoptHelp')}><Checkbox>{t('settings.autoAdopt')}</Checkbox></Form.Item>
        </Panel>
        {error && <ErrorNote error={error} />}
        <div><Button type="primary" htmlType="submit" loading={busy}>{t('settings.save')}</Button></div>
      </div>
    </Form>
  )
}
