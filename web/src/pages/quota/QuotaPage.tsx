import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import InputNumber from 'antd/es/input-number'
import Switch from 'antd/es/switch'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'
import { ApiError } from '../../api/client'
import { getQuota, listEntries, setQuota, type Quota, type QuotaEntry } from '../../api/quota'
import { useSession } from '../../app/session'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { Bar, PageHead, Panel, Spoken, Stat, Time } from '../../ui/bits'
import { ErrorNote } from '../../ui/ErrorNote'
import { narrowed, NarrowFields, split } from '../images/scope'

const Licences = lazy(() => import('./Licences'))

export function Component() {
  const quota = useQuery({ queryKey: ['quota', 'state'], queryFn: getQuota })
  const q = quota.data
  return (
    <>
      <PageHead title={t('nav.quota')} sub={t('quota.sub')} />
      {quota.error && !q && <ErrorNote error={quota.error} retry={() => void quota.refetch()} />}
      {q && (
        <div className="stack">
          <Figures quota={q} />
          <Rules key={q.updated} quota={q} />
          <Ledger />
        </div>
      )}
    </>
  )
}

function Figures({ quota: q }: { quota: Quota }) {
  return (
    <div className="stats" style={{ marginBottom: 0 }}>
      <div className="stat"><div className="label">{t('quota.enforced')}</div><div className="value" style={{ fontSize: 16 }}><span className={`tag ${q.enabled ? 'info' : 'outline'}`}>{q.enabled ? t('schedule.on') : t('schedule.off')}</span></div><div className="foot">{q.enabled ? t('quota.onNote') : t('quota.offNote')}</div></div>
      <div className="stat"><div className="label">{t('quota.used')}</div><div className="value">{number(q.used)}<small> / {number(q.total)}</small></div><div className="foot" style={{ paddingTop: 6 }}><Bar percent={q.total > 0 ? (q.used * 100) / q.total : 0} failed={q.enabled && q.left <= 0} label={t('quota.used')} /></div></div>
      <Stat label={t('quota.left')} value={q.left} bad={q.enabled && q.left <= 0} note={q.enabled && q.left <= 0 ? t('quota.usedUp') : ''} />
      <Stat label={t('quota.unlicensed')} value={q.unlicensed} of={q.images} to={q.enabled ? '/images?licensed=false' : undefined} note={t('quota.unlicensedNote')} />
      <Stat label={t('quota.autoToday')} value={q.autoToday} of={q.auto.enabled && q.auto.perDay ? q.auto.perDay : undefined} to="/quota?action=auto" note={q.auto.enabled ? t('quota.autoOn') : t('quota.autoOff')} />
    </div>
  )
}

/** Rules are the settings: for administrators to change, for others to read. */
function Rules({ quota: q }: { quota: Quota }) {
  const queries = useQueryClient()
  const { message } = AntApp.useApp()
  const { may } = useSession()
  const { narrow: first, rest } = split(q.auto.filter)
  const [enabled, setEnabled] = useState(q.enabled)
  const [total, setTotal] = useState<number | null>(q.total)
  const [auto, setAuto] = useState(q.auto.enabled)
  const [perDay, setPerDay] = useState<number | null>(q.auto.perDay || null)
  const [narrow, setNarrow] = useState(first)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const change = may('administer')

  async function save() {
    setBusy(true)
    setError(undefined)
    try {
      queries.setQueryData(['quota', 'state'], await setQuota({ enabled, total: total ?? 0, auto: { enabled: auto, perDay: perDay ?? 0, filter: { ...rest, ...narrowed(narrow) } } }))
      void message.success(t('settings.saved'))
      await Promise.all(['quota', 'images'].map((word) => queries.invalidateQueries({ queryKey: [word] })))
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      setError(e)
    } finally {
      setBusy(false)
    }
  }

  const totalFault = error?.fields.total
  return (
    <Panel title={t('quota.settings')} more={q.updated && <span className="muted">{t('quota.changed', { by: q.by || '–' })} <Time value={q.updated} /></span>}>
      <fieldset disabled={!change} className="plain-fieldset">
        <div className="settings wide">
          <h3>{t('quota.enforced')}</h3>
          <div><span className="row"><Switch checked={enabled} disabled={!change} onChange={setEnabled} aria-label={t('quota.enforced')} />{enabled ? t('schedule.on') : t('schedule.off')}</span><p className="muted">{t('quota.enforcedHelp')}</p></div>
          <h3>{t('quota.total')}</h3>
          <div>
            <InputNumber min={0} max={100_000_000} precision={0} disabled={!change} value={total} onChange={setTotal} aria-label={t('quota.total')} status={totalFault ? 'error' : undefined} style={{ width: 160 }} />
            {totalFault ? <p className="bad" role="alert">{t('quota.totalTooSmall', { used: number(q.used) })}</p> : <p className="muted">{t('quota.totalHelp')}</p>}
          </div>
          <h3>{t('quota.auto')}</h3>
          <div>
            <Checkbox checked={auto} disabled={!change} onChange={(e) => setAuto(e.target.checked)}>{t('quota.autoSwitch')}</Checkbox>
            <p className="muted">{t('quota.autoHelp')}</p>
            {auto && (
              <div className="stack" style={{ marginTop: 8, gap: 10 }}>
                <label className="row">{t('quota.perDay')}<InputNumber min={1} max={100_000_000} precision={0} disabled={!change} value={perDay} placeholder={t('quota.unlimited')} onChange={setPerDay} style={{ width: 140 }} /></label>
                <NarrowFields narrow={narrow} set={setNarrow} />
              </div>
            )}
          </div>
        </div>
        {error && !totalFault && <ErrorNote error={error} />}
        {change ? <div style={{ marginTop: 14 }}><Button type="primary" loading={busy} onClick={() => void save()}>{t('settings.save')}</Button></div> : <p className="muted">{t('quota.adminOnly')}</p>}
      </fieldset>
    </Panel>
  )
}

const actions = ['license', 'auto', 'settings']

/** SettingsChange tells what was changed, of a line that has what was and what is. */
function SettingsChange({ detail }: { detail: string }) {
  const [, total, newTotal, enforced, isEnforced, rule, isRule] = /^total (\d+) → (\d+), enforced (\w+) → (\w+), rule (\w+) → (\w+)$/.exec(detail) ?? []
  if (total === undefined) return <Spoken text={detail || '–'} />
  const onOff = (word: string | undefined) => (word === 'true' ? t('schedule.on') : t('schedule.off'))
  const changed = [
    total !== newTotal && `${t('quota.total')} ${number(Number(total))} → ${number(Number(newTotal))}`,
    enforced !== isEnforced && `${t('quota.enforced')}: ${onOff(isEnforced)}`,
    rule !== isRule && `${t('quota.auto')}: ${onOff(isRule)}`,
  ].filter(Boolean).join(' · ')
  return <span title={changed}>{changed || '–'}</span>
}

/** Ledger has a line for each change of the quota, and for each time that the rule left something out. */
function Ledger() {
  const [params, setParams] = useSearchParams()
  const filters = useMemo<Filter[]>(() => [{ key: 'action', label: t('quota.action'), kind: 'one', options: actions.map((value) => ({ value, label: tx('quotaAction', value) })) }], [])
  const open = (id: number | undefined) => setParams((before) => {
    const next = new URLSearchParams(before)
    if (id) next.set('entry', String(id))
    else next.delete('entry')
    for (const name of [...next.keys()]) if (name.startsWith('in.')) next.delete(name)
    return next
  })
  const columns: Column<QuotaEntry>[] = [
    { key: 'at', title: t('quota.at'), width: 136, locked: true, render: (e) => <Time value={e.at} /> },
    { key: 'by', title: t('quota.by'), width: 110, render: (e) => e.by || '–' },
    { key: 'action', title: t('quota.action'), width: 116, render: (e) => tx('quotaAction', e.action) },
    { key: 'images', title: t('quota.units'), width: 96, align: 'right', render: (e) => (e.images > 0 ? <button type="button" className="plain link num" onClick={() => open(e.id)} aria-label={t('quota.unitsOf', { n: number(e.images) })}>{number(e.images)}</button> : <span className="muted num">0</span>) },
    { key: 'refused', title: t('quota.refused'), width: 96, align: 'right', render: (e) => <span className={e.refused ? 'num' : 'muted num'} style={e.refused ? { color: 'var(--bad)' } : undefined}>{number(e.refused)}</span> },
    { key: 'reason', title: t('quota.reason'), width: 210, render: (e) => (e.reason ? <span className="wraps">{tx('quotaReason', e.reason)}</span> : <span className="muted">–</span>) },
    { key: 'used', title: t('quota.after'), width: 120, align: 'right', render: (e) => <span className="num">{number(e.used)}<span className="muted"> / {number(e.total)}</span></span> },
    { key: 'detail', title: t('audit.detail'), width: 290, render: (e) => (e.action === 'settings' ? <SettingsChange detail={e.detail ?? ''} /> : tx('taskKind', e.detail) || <span className="muted">–</span>) },
  ]
  const entry = Number(params.get('entry'))
  return (
    <div>
      <h2 style={{ fontSize: 14, margin: '4px 0 8px' }}>{t('quota.ledger')}</h2>
      <AssetTable<QuotaEntry>
        name="quota"
        of={['entries']}
        columns={columns}
        filters={filters}
        searchable={false}
        load={listEntries}
        rowKey={(e) => e.id}
        open={(e) => e.images > 0 && open(e.id)}
        empty={{ title: t('quota.none'), help: t('quota.noneHelp') }}
      />
      <Suspense>{entry > 0 && <Licences entry={entry} close={() => open(undefined)} />}</Suspense>
    </div>
  )
}
