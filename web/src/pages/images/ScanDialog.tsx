// The mission's "scanning settings": what to look for, in which images, for how
// long; and what that would do, before it is done.
import { useQuery } from '@tanstack/react-query'
import Alert from 'antd/es/alert'
import Checkbox from 'antd/es/checkbox'
import InputNumber from 'antd/es/input-number'
import Modal from 'antd/es/modal'
import { useDeferredValue, useState } from 'react'
import { ApiError } from '../../api/client'
import { previewLicences, type QuotaNeed } from '../../api/quota'
import { categories, previewScan, startScan, type ScanPreview, type ScanRequest, type Task } from '../../api/scans'
import { t, tx } from '../../i18n'
import { bytes, duration, number } from '../../lib/format'
import { ErrorNote } from '../../ui/ErrorNote'
import { QuotaLine } from '../quota/QuotaLine'
import { useQuota } from '../quota/useQuota'
import { FirstOf } from './FirstOf'
import { filterOf, isComplete, recommended, ScopeFields } from './scope'

const defaultMinutes = 60

interface Props {
  /** Images on hosts, and not those of registries. */
  local?: boolean
  close(): void
  started(task: Task): void
}

export default function ScanDialog({ local, close, started }: Props) {
  const [what, setWhat] = useState<string[]>([...categories])
  const [images, setImages] = useState(recommended)
  const [minutes, setMinutes] = useState(defaultMinutes)
  const [forced, setForced] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()

  const request: ScanRequest = {
    categories: what as ScanRequest['categories'],
    scope: images.scope,
    timeoutSeconds: minutes * 60,
    forced,
    filter: filterOf(images, local),
  }
  const complete = what.length > 0 && isComplete(images)
  const asked = useDeferredValue(JSON.stringify(request))
  const preview = useQuery({
    queryKey: ['scan-preview', asked],
    queryFn: ({ signal }) => previewScan(JSON.parse(asked) as ScanRequest, signal),
    enabled: complete,
    staleTime: 5000,
    retry: false,
  })

  const enforced = useQuota()?.enabled
  const licences = useQuery({
    queryKey: ['quota', 'need', asked],
    queryFn: ({ signal }) => {
      const { scope, filter } = JSON.parse(asked) as ScanRequest
      return previewLicences(scope === 'recommended' ? { ...filter, recommended: true } : (filter ?? {}), signal)
    },
    enabled: complete && !!enforced,
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
        <ScopeFields value={images} set={setImages} local={local} />
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
          {!complete ? <p className="muted">{t('scan.previewIncomplete')}</p> : preview.error ? <ErrorNote error={preview.error} /> : preview.data ? <Preview preview={preview.data} licences={licences.data} /> : <p className="muted">{t('common.loading')}</p>}
        </div>
      </div>
      {error && (error instanceof ApiError ? <ErrorNote error={error} /> : <Alert type="error" title={error.message} />)}
    </Modal>
  )
}

function Preview({ preview: p, licences }: { preview: ScanPreview; licences?: QuotaNeed }) {
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
      {licences && <QuotaLine need={licences} />}
      <FirstOf rows={p.rows} items={p.items ?? []} />
    </>
  )
}
