// The mission's "scanning settings": what to look for, in which images, for how
// long; and what that would do, before it is done.
import { useQuery } from '@tanstack/react-query'
import Alert from 'antd/es/alert'
import Checkbox from 'antd/es/checkbox'
import InputNumber from 'antd/es/input-number'
import Modal from 'antd/es/modal'
import Radio from 'antd/es/radio'
import Select from 'antd/es/select'
import { useDeferredValue, useState } from 'react'
import { ApiError } from '../../api/client'
import { listFacets, toFilter } from '../../api/images'
import { categories, previewScan, startScan, type ScanPreview, type ScanRequest, type Task } from '../../api/scans'
import { t, tx } from '../../i18n'
import { bytes, duration, number, short, listed } from '../../lib/format'
import { ErrorNote } from '../../ui/ErrorNote'
import { Picker, type Picked } from './Picker'

type Scope = ScanRequest['scope']

interface Narrow {
  kind: string[]
  registry: string[]
  namespace: string[]
  newest: boolean
  running: boolean
  never: boolean
  pushedDays?: number
}

const everything: Narrow = { kind: [], registry: [], namespace: [], newest: false, running: false, never: false }
const pushedChoices = [1, 7, 30, 90] // days
const defaultMinutes = 60

interface Props {
  close(): void
  started(task: Task): void
}

export default function ScanDialog({ close, started }: Props) {
  const [what, setWhat] = useState<string[]>([...categories])
  const [scope, setScope] = useState<Scope>('recommended')
  const [picked, setPicked] = useState(new Map<number, Picked>())
  const [excluded, setExcluded] = useState(new Map<number, Picked>())
  const [excluding, setExcluding] = useState(false)
  const [narrow, setNarrow] = useState(everything)
  const [minutes, setMinutes] = useState(defaultMinutes)
  const [forced, setForced] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()

  const request: ScanRequest = {
    categories: what as ScanRequest['categories'],
    scope,
    timeoutSeconds: minutes * 60,
    forced,
    filter: scope === 'specified' ? { ids: [...picked.keys()] } : filterOf(narrow, [...excluded.keys()]),
  }
  const complete = what.length > 0 && (scope !== 'specified' || picked.size > 0)
  const asked = useDeferredValue(JSON.stringify(request))
  const preview = useQuery({
    queryKey: ['scan-preview', asked],
    queryFn: ({ signal }) => previewScan(JSON.parse(asked) as ScanRequest, signal),
    enabled: complete,
    staleTime: 5000,
    retry: false,
  })

  async function start() {
    setBusy(true)
    setError(undefined)
    try {
      started(await startScan(request))
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal
      open
      title={t('scan.settings')}
      width={860}
      onCancel={close}
      onOk={() => void start()}
      okText={t('scan.now')}
      okButtonProps={{ disabled: !complete || preview.data?.rows === 0 }}
      confirmLoading={busy}
      mask={{ closable: false }}
      style={{ top: 40 }}
    >
      <div className="settings">
        <h3>{t('scan.categories')}</h3>
        <div>
          <Checkbox.Group value={what} onChange={(v) => setWhat(v)} options={categories.map((c) => ({ value: c, label: tx('category', c) }))} />
          {what.length === 0 ? <p className="bad" role="alert">{t('scan.categoryMissing')}</p> : <p className="muted">{t('scan.categoriesHelp')}</p>}
        </div>
        <h3>{t('scan.scope')}</h3>
        <div>
          <Radio.Group value={scope} onChange={(e) => setScope(e.target.value as Scope)} options={(['recommended', 'all', 'specified'] as const).map((s) => ({ value: s, label: tx('scope', s) }))} />
          <p className="muted">{scope === 'recommended' ? t('scan.recommendedHelp') : scope === 'all' ? t('scan.allHelp') : t('scan.specifiedHelp')}</p>
          {scope === 'specified' && <Picker picked={picked} pick={setPicked} />}
        </div>
        {scope !== 'specified' && (
          <>
            <h3>{t('scan.narrow')}</h3>
            <NarrowFields narrow={narrow} set={setNarrow} />
            <h3>{t('scan.exclude')}</h3>
            <div>
              <Checkbox checked={excluding} onChange={(e) => { setExcluding(e.target.checked); if (!e.target.checked) setExcluded(new Map()) }}>{t('scan.excludeSome')}</Checkbox>
              {excluding && <div style={{ marginTop: 8 }}><Picker picked={excluded} pick={setExcluded} /></div>}
            </div>
          </>
        )}
        <h3>{t('scan.timeout')}</h3>
        <div>
          <span className="row">
            <InputNumber min={1} max={1440} precision={0} value={minutes} onChange={(n) => setMinutes(n ?? defaultMinutes)} aria-label={t('scan.timeout')} />
            {t('scan.minutes')}
          </span>
          <p className="muted">{t('scan.timeoutHelp')}</p>
          <Checkbox checked={forced} onChange={(e) => setForced(e.target.checked)}>{t('scan.forced')}</Checkbox>
        </div>
        <h3>{t('scan.preview')}</h3>
        <div aria-live="polite" style={{ minHeight: 64 }}>
          {!complete ? <p className="muted">{t('scan.previewIncomplete')}</p> : preview.error ? <ErrorNote error={preview.error} /> : preview.data ? <Preview preview={preview.data} /> : <p className="muted">{t('common.loading')}</p>}
        </div>
      </div>
      {error && (error instanceof ApiError ? <ErrorNote error={error} /> : <Alert type="error" title={error.message} />)}
    </Modal>
  )
}

function filterOf(narrow: Narrow, exclude: number[]) {
  return toFilter({
    kind: narrow.kind.length > 0 ? narrow.kind : undefined,
    registry: narrow.registry.length > 0 ? narrow.registry : undefined,
    namespace: narrow.namespace.length > 0 ? narrow.namespace : undefined,
    newest: narrow.newest,
    running: narrow.running,
    status: narrow.never ? ['not_scanned'] : undefined,
    pushedFrom: narrow.pushedDays ? startOf(narrow.pushedDays) : undefined,
    exclude: exclude.length > 0 ? exclude.map(String) : undefined,
  })
}

/** startOf is the beginning of a day some days ago: the same all day long, so that the preview is not asked for again. */
function startOf(days: number): string {
  const d = new Date()
  return new Date(d.getFullYear(), d.getMonth(), d.getDate() - days).toISOString()
}

function NarrowFields({ narrow, set }: { narrow: Narrow; set(next: Narrow): void }) {
  const facets = useQuery({ queryKey: ['images', 'facets'], queryFn: ({ signal }) => listFacets({}, signal), staleTime: 30_000 })
  const options = (name: 'kinds' | 'registries' | 'namespaces') =>
    (facets.data?.[name] ?? []).map((f) => ({ value: f.value, label: `${name === 'kinds' ? tx('registryKind', f.value) : f.label || f.value || '–'} (${number(f.count)})` }))
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="narrow">
        <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('registries.kind')} aria-label={t('registries.kind')} value={narrow.kind} onChange={(kind) => set({ ...narrow, kind })} options={options('kinds')} />
        <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('images.registry')} aria-label={t('images.registry')} value={narrow.registry} onChange={(registry) => set({ ...narrow, registry })} options={options('registries')} />
        <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('images.namespace')} aria-label={t('images.namespace')} value={narrow.namespace} onChange={(namespace) => set({ ...narrow, namespace })} options={options('namespaces')} />
        <Select allowClear placeholder={t('scan.pushed')} aria-label={t('scan.pushed')} value={narrow.pushedDays} onChange={(pushedDays) => set({ ...narrow, pushedDays })} options={pushedChoices.map((d) => ({ value: d, label: t('scan.pushedDays', { count: d }) }))} />
      </div>
      <div className="row wrap">
        <Checkbox checked={narrow.newest} onChange={(e) => set({ ...narrow, newest: e.target.checked })}>{t('images.newestOnly')}</Checkbox>
        <Checkbox checked={narrow.running} onChange={(e) => set({ ...narrow, running: e.target.checked })}>{t('images.runningOnly')}</Checkbox>
        <Checkbox checked={narrow.never} onChange={(e) => set({ ...narrow, never: e.target.checked })}>{t('scan.never')}</Checkbox>
      </div>
    </div>
  )
}

function Preview({ preview: p }: { preview: ScanPreview }) {
  if (p.rows === 0) return <p className="bad">{t('scan.previewNone')}</p>
  return (
    <>
      <p style={{ margin: 0 }}>
        <strong>{t('scan.previewCount', { count: p.rows, n: number(p.rows), images: number(p.images) })}</strong>{' '}
        {p.estimateSeconds === undefined ? t('scan.noEstimate') : t('scan.estimate', { time: duration(p.estimateSeconds) })}
      </p>
      <p className="muted" style={{ margin: '2px 0 6px' }}>
        {[
          p.joining > 0 && t('scan.previewJoining', { count: p.joining, n: number(p.joining) }),
          p.unread > 0 && t('scan.previewUnread', { count: p.unread, n: number(p.unread) }),
          p.newBytes > 0 && t('scan.previewBytes', { size: bytes(p.newBytes) }),
        ].filter(Boolean).join(' · ')}
      </p>
      <ul className="preview-list">
        {(p.items ?? []).map((r) => (
          <li key={r.id}>
            <span className="ellipsis grow">{r.repository}:{r.tag || short(r.digest)}</span>
            <span className="muted">{listed((r.recommended ?? []).map((x) => tx('reason', x))) || r.registryName}</span>
          </li>
        ))}
        {p.rows > (p.items ?? []).length && <li className="muted">{t('scan.previewMore', { n: number(p.rows - (p.items ?? []).length) })}</li>}
      </ul>
    </>
  )
}
