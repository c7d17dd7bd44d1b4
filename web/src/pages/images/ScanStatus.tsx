import { useQuery } from '@tanstack/react-query'
import Popover from 'antd/es/popover'
import { getScan } from '../../api/scans'
import type { AssetRow } from '../../api/images'
import { spoken, t, tx } from '../../i18n'
import { duration, timestamp } from '../../lib/format'
import { Bar, Spoken } from '../../ui/bits'
import { detailOf, errorText, remedyText } from '../../ui/ErrorNote'

export const statusTone: Record<string, string> = { scanned: 'ok', scanning: 'info', failed: 'bad', cancelled: 'warn', not_scanned: 'outline' }

type Row = Pick<AssetRow, 'status' | 'progress' | 'scanID' | 'scanError' | 'scannedAt' | 'reason'>

export function percentOf(progress: Record<string, number> | undefined): number {
  const values = Object.values(progress ?? {})
  return values.length === 0 ? 0 : Math.floor(values.reduce((sum, n) => sum + n, 0) / values.length)
}

/** ScanStatus is one of the five statuses; while a scan runs how far it is, after an exception why and what to do. */
export function ScanStatus({ row }: { row: Row }) {
  if (row.status === 'scanning') {
    const percent = percentOf(row.progress)
    return (
      <Popover content={<Running row={row} />} destroyOnHidden>
        <div tabIndex={0}>
          <span className="num" style={{ color: row.scanError ? 'var(--warn)' : 'var(--link)' }}>{row.scanError ? t('local.waits') : t('scan.percent', { percent })}</span>
          <Bar percent={percent} label={tx('status', 'scanning')} />
        </div>
      </Popover>
    )
  }
  if (row.reason && !row.scannedAt) {
    return (
      <Popover content={<div style={{ maxWidth: 380 }}><Spoken text={row.reason} /></div>}>
        <span tabIndex={0} className="tag unknown" aria-label={`${t('local.cannot')}: ${spoken(row.reason).text}`}>{t('local.cannot')}</span>
      </Popover>
    )
  }
  const tag = <span className={`tag ${statusTone[row.status] ?? ''}`}>{tx('status', row.status)}</span>
  if (row.status !== 'failed' || !row.scanError) return tag
  return (
    <Popover content={<Reason error={row.scanError} scannedAt={row.scannedAt} />}>
      <span tabIndex={0} aria-label={`${tx('status', 'failed')}: ${errorText(row.scanError)}`}>{tag}</span>
    </Popover>
  )
}

export function Reason({ error, scannedAt }: { error: NonNullable<AssetRow['scanError']>; scannedAt?: string }) {
  return (
    <div style={{ maxWidth: 380 }}>
      <p style={{ margin: 0 }}><strong>{errorText(error)}</strong></p>
      {detailOf(error) && <p className="muted" lang="en" style={{ margin: '2px 0 0' }}>{detailOf(error)}</p>}
      <p style={{ margin: '4px 0 0' }}>{remedyText(error) || t('scan.exceptionRemedy')}</p>
      {scannedAt && <p className="muted" style={{ margin: '4px 0 0' }}>{t('scan.earlier', { at: timestamp(scannedAt) })}</p>}
    </div>
  )
}

function Running({ row }: { row: Row }) {
  const scan = useQuery({ queryKey: ['scans', 'one', row.scanID], queryFn: () => getScan(row.scanID ?? 0), enabled: !!row.scanID, refetchInterval: 2000 })
  const progress = scan.data?.progress ?? row.progress ?? {}
  return (
    <div style={{ width: 240 }}>
      <Categories progress={progress} />
      {(scan.data?.error ?? row.scanError) && <p style={{ margin: '6px 0 0' }}>{spoken((scan.data?.error ?? row.scanError)?.message ?? '').text}</p>}
      <p className="muted" style={{ margin: '6px 0 0' }}>
        {scan.data?.phase === 'waiting' ? t('scan.waiting') : scan.data?.remainingSeconds !== undefined ? t('scan.remaining', { time: duration(scan.data.remainingSeconds) }) : t('scan.remainingUnknown')}
      </p>
    </div>
  )
}

/** Categories shows the progress of each category of a scan. */
export function Categories({ progress }: { progress: Record<string, number> }) {
  return (
    <div className="progress-grid">
      {Object.entries(progress).map(([category, percent]) => (
        <div key={category} style={{ display: 'contents' }}>
          <span>{tx('category', category)}</span>
          <Bar percent={percent} label={tx('category', category)} />
          <span className="num" style={{ textAlign: 'right' }}>{percent} %</span>
        </div>
      ))}
    </div>
  )
}
