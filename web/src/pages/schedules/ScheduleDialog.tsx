// The mission's "scheduled scan settings": a switch, when, what to look for, in which
// images; and what the next run would do, before it is set.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Checkbox from 'antd/es/checkbox'
import Input from 'antd/es/input'
import InputNumber from 'antd/es/input-number'
import Modal from 'antd/es/modal'
import Radio from 'antd/es/radio'
import Select from 'antd/es/select'
import Switch from 'antd/es/switch'
import { useDeferredValue, useState, type ReactNode } from 'react'
import { ApiError } from '../../api/client'
import { categories } from '../../api/scans'
import { createSchedule, listSchedules, previewSchedule, updateSchedule, type ImageKind, type Schedule, type SchedulePreview, type ScheduleSettings } from '../../api/schedules'
import { t, tx } from '../../i18n'
import { duration, number } from '../../lib/format'
import { ErrorNote, faultText } from '../../ui/ErrorNote'
import { TimeOfDay } from '../../ui/TimeOfDay'
import { FirstOf } from '../images/FirstOf'
import { QuotaLine } from '../quota/QuotaLine'
import { isComplete, pick, ScopeFields } from '../images/scope'
import { cycles, draftOf, newDraft, settingsOf, type Draft } from './draft'
import { cycleOf, momentIn, weekdays, zones } from './words'

interface Props {
  /** Of a new one. */
  kind: ImageKind
  /** One of the schedules, or a new one; without it the first of the kind, and a choice of the others. */
  id?: number | 'new'
  close(): void
}

export default function ScheduleDialog({ kind, id, close }: Props) {
  const [chosen, choose] = useState<number | 'new'>()
  const all = useQuery({ queryKey: ['schedules', 'all'], queryFn: ({ signal }) => listSchedules(signal), staleTime: 0 })
  const same = (all.data?.items ?? []).filter((s) => (s.kind ?? 'repository') === kind)
  const wanted = id ?? chosen ?? same[0]?.id ?? 'new'
  const schedule = all.data?.items.find((s) => s.id === wanted)
  const { ids, exclude } = schedule?.filter ?? {}
  const named = useQuery({ queryKey: ['images', 'named', ids, exclude], queryFn: () => pick([...(ids ?? []), ...(exclude ?? [])], schedule?.kind === 'local'), enabled: !!schedule })

  const error = all.error ?? named.error
  if (error || (wanted !== 'new' && (!schedule || !named.data))) {
    return (
      <Modal open title={t('schedule.settings')} footer={null} onCancel={close} width={860} style={{ top: 40 }}>
        {error ? <ErrorNote error={error} /> : all.data && wanted !== 'new' && !schedule ? <ErrorNote error={new ApiError(404, { code: 'not_found' })} /> : <p className="muted">{t('common.loading')}</p>}
      </Modal>
    )
  }
  if (all.isPending) return null
  const taken = all.data?.items.map((s) => s.name) ?? []
  return (
    <Settings
      key={`${wanted}`}
      kind={schedule?.kind ?? kind}
      schedule={schedule}
      first={schedule && named.data ? draftOf(schedule, named.data) : newDraft(kind, taken)}
      close={close}
      chooser={!id && same.length > 0 && (
        <Select<number | 'new'>
          aria-label={t('schedule.one')}
          style={{ minWidth: 240 }}
          value={wanted}
          onChange={choose}
          options={[...same.map((s) => ({ value: s.id as number | 'new', label: s.name })), { value: 'new', label: t('schedule.new') }]}
        />
      )}
    />
  )
}

interface SettingsProps {
  kind: ImageKind
  schedule?: Schedule
  first: Draft
  chooser: ReactNode
  close(): void
}

function Settings({ kind, schedule, first, chooser, close }: SettingsProps) {
  const queries = useQueryClient()
  const { message } = AntApp.useApp()
  const [draft, setDraft] = useState(first)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const set = (part: Partial<Draft>) => { setDraft({ ...draft, ...part }); setError(undefined) }

  const complete = draft.start !== '' && draft.categories.length > 0 && isComplete(draft.images) && (draft.cycle !== 'weekdays' || draft.weekdays.length > 0)

  async function save() {
    setBusy(true)
    try {
      const kept = schedule ? await updateSchedule(schedule.id, settingsOf(draft, kind)) : await createSchedule(settingsOf(draft, kind))
      void message.success(kept.next ? t('schedule.set', { name: kept.name, at: momentIn(kept.next, kept.zone) }) : t('schedule.setOff', { name: kept.name }))
      await queries.invalidateQueries({ queryKey: ['schedules'] })
      close()
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      setError(e)
    } finally {
      setBusy(false)
    }
  }

  const fault = (...fields: string[]) => {
    const field = fields.find((name) => error?.fields[name])
    return field ? <p className="bad" role="alert">{field === 'name' && error?.status === 409 ? t('schedule.nameTaken') : faultText(error?.fields[field])}</p> : null
  }
  const shown = ['name', 'everyDays', 'weekdays', 'firstDay', 'start', 'end', 'zone', 'timeoutSeconds']

  return (
    <Modal
      open
      title={t('schedule.settings')}
      width={860}
      onCancel={close}
      onOk={() => void save()}
      okText={t('schedule.ok')}
      okButtonProps={{ disabled: !complete || draft.name.trim() === '' }}
      confirmLoading={busy}
      mask={{ closable: false }}
      style={{ top: 40 }}
    >
      {chooser && <div className="row wrap" style={{ marginBottom: 12 }}><span className="muted">{t('schedule.one')}</span>{chooser}</div>}
      <div className="settings">
        <h3>{t('schedule.switch')}</h3>
        <div className="row"><Switch checked={draft.enabled} onChange={(enabled) => set({ enabled })} aria-label={t('schedule.switch')} /><span>{draft.enabled ? t('schedule.on') : t('schedule.off')}</span></div>
        <h3>{t('schedule.name')}</h3>
        <div><Input value={draft.name} maxLength={128} onChange={(e) => set({ name: e.target.value })} aria-label={t('schedule.name')} style={{ maxWidth: 320 }} />{fault('name')}</div>
        <h3>{t('schedule.frequency')}</h3>
        <div><When draft={draft} set={set} />{fault('everyDays', 'weekdays', 'firstDay')}</div>
        <h3>{t('schedule.time')}</h3>
        <div><Times draft={draft} set={set} />{fault('start', 'end', 'zone')}</div>
        <h3>{t('scan.categories')}</h3>
        <div>
          <Checkbox.Group value={draft.categories} onChange={(v) => set({ categories: v })} options={categories.map((c) => ({ value: c, label: tx('category', c) }))} />
          {draft.categories.length === 0 && <p className="bad" role="alert">{t('scan.categoryMissing')}</p>}
        </div>
        <ScopeFields value={draft.images} set={(images) => set({ images })} local={kind === 'local'} />
        <h3>{t('scan.timeout')}</h3>
        <div>
          <span className="row">
            <InputNumber min={1} max={1440} precision={0} value={draft.minutes} placeholder={t('schedule.default')} onChange={(n) => set({ minutes: n ?? undefined })} aria-label={t('scan.timeout')} />
            {t('scan.minutes')}
          </span>
          <p className="muted">{t('scan.timeoutHelp')}</p>{fault('timeoutSeconds')}
        </div>
        <h3>{t('schedule.preview')}</h3>
        <div aria-live="polite" style={{ minHeight: 88 }}>
          {complete ? <Ahead settings={settingsOf(draft, kind)} rest={schedule?.rest ?? 0} /> : <p className="muted">{draft.cycle === 'weekdays' && draft.weekdays.length === 0 ? t('schedule.dayMissing') : t('scan.previewIncomplete')}</p>}
        </div>
      </div>
      {error && !shown.some((name) => error.fields[name]) && <ErrorNote error={error} />}
    </Modal>
  )
}

interface PartProps {
  draft: Draft
  set(part: Partial<Draft>): void
}

/** When are the days: every so many, or some of the week. */
function When({ draft: d, set }: PartProps) {
  return (
    <>
      <Radio.Group
        aria-label={t('schedule.frequency')}
        value={d.cycle}
        onChange={(e) => set({ cycle: e.target.value as Draft['cycle'] })}
        options={[...cycles.map((n) => ({ value: n as Draft['cycle'], label: cycleOf(n) })), { value: 'other', label: t('schedule.other') }, { value: 'weekdays', label: t('schedule.weekdays') }]}
      />
      {d.cycle === 'weekdays' && <Checkbox.Group style={{ marginTop: 8 }} value={d.weekdays} onChange={(v) => set({ weekdays: v })} options={weekdays.map((w) => ({ value: w, label: tx('weekday', w) }))} />}
      {d.cycle !== 'weekdays' && d.cycle !== 1 && (
        <div className="row wrap" style={{ marginTop: 8, gap: 16 }}>
          {d.cycle === 'other' && <label className="row">{t('schedule.cycle')}<InputNumber min={1} max={366} precision={0} value={d.days} onChange={(n) => set({ days: n ?? 1 })} /></label>}
          <label className="row">{t('schedule.firstDay')}<input className="native" type="date" value={d.firstDay} onChange={(e) => set({ firstDay: e.target.value })} /></label>
        </div>
      )}
    </>
  )
}

/** Times are when the window opens and closes, by the clock of a zone. */
function Times({ draft: d, set }: PartProps) {
  return (
    <>
      <div className="row wrap" style={{ gap: 16 }}>
        <label className="row">{t('schedule.start')}<TimeOfDay required value={d.start} onChange={(start) => set({ start })} /></label>
        <label className="row">{t('schedule.end')}<TimeOfDay value={d.end} onChange={(end) => set({ end })} /></label>
        <Select showSearch aria-label={t('settings.zone')} style={{ minWidth: 200 }} value={d.zone} onChange={(zone) => set({ zone })} options={zones(d.zone).map((z) => ({ value: z, label: z }))} />
      </div>
      <p className="muted">{d.end ? d.end <= d.start ? t('schedule.endNextDay') : t('schedule.endHelp') : t('schedule.noEnd')}</p>
    </>
  )
}

/** Ahead is what the next run would do if it started now. */
function Ahead({ settings, rest }: { settings: ScheduleSettings; rest: number }) {
  // Neither the name nor the switch changes what a run would do.
  const asked = useDeferredValue(JSON.stringify({ ...settings, name: 'preview', enabled: true }))
  const preview = useQuery({ queryKey: ['schedules', 'preview', asked], queryFn: ({ signal }) => previewSchedule(JSON.parse(asked) as ScheduleSettings, signal), staleTime: 5000, retry: false, placeholderData: (before) => before })
  if (preview.error) return <ErrorNote error={preview.error} />
  const p = preview.data
  if (!p) return <p className="muted">{t('common.loading')}</p>
  return (
    <>
      <p style={{ margin: 0 }}>{t('schedule.opens')}</p>
      <ol className="openings">{p.opens.map((o) => <li key={o} className="num">{momentIn(o, settings.zone)}</li>)}</ol>
      {p.rows === 0 ? <p>{t('schedule.previewNone')}</p> : (
        <>
          <p style={{ margin: 0 }}>
            <strong>{t('schedule.previewCount', { count: p.rows, n: number(p.rows), images: number(p.images) })}</strong>{' '}
            {p.estimateSeconds === undefined ? t('scan.noEstimate') : t('scan.estimate', { time: duration(p.estimateSeconds) })}
            {settings.end && p.estimateSeconds !== undefined && p.estimateSeconds > seconds(p) && <span className="bad"> {t('schedule.tooShort')}</span>}
          </p>
          <p className="muted" style={{ margin: '2px 0 6px' }}>
            {[
              p.joining > 0 && t('scan.previewJoining', { count: p.joining, n: number(p.joining) }),
              p.unread > 0 && t('scan.previewUnread', { count: p.unread, n: number(p.unread) }),
              rest > 0 && t('schedule.rest', { count: rest, n: number(rest) }),
            ].filter(Boolean).join(' · ')}
          </p>
          <QuotaLine need={p.quota} skips />
          <FirstOf rows={p.rows} items={p.items} />
        </>
      )}
    </>
  )
}

const seconds = (p: SchedulePreview) => (Date.parse(p.closes) - Date.parse(p.opens[0])) / 1000
