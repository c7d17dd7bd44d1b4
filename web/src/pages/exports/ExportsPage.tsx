import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Popover from 'antd/es/popover'
import { useCallback, useMemo, useState } from 'react'
import { deleteExport, fileOf, listExportKinds, listExports, type Export } from '../../api/exports'
import { useEvents } from '../../app/live'
import { say, t, tx } from '../../i18n'
import { bytes, number } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { Bar, PageHead, Time } from '../../ui/bits'
import { errorLine, errorText } from '../../ui/ErrorNote'
import { Reason } from '../images/ScanStatus'

const states = ['waiting', 'running', 'success', 'failed', 'expired']
const tone: Record<string, string> = { waiting: 'outline', running: 'info', success: 'ok', failed: 'bad', expired: '' }

export function Component() {
  const { message, modal } = AntApp.useApp()
  const queries = useQueryClient()
  const kinds = useQuery({ queryKey: ['export-kinds'], queryFn: listExportKinds, staleTime: Infinity })
  const live = useLiveExports()
  const filters = useMemo<Filter[]>(() => [
    { key: 'state', label: t('export.state'), kind: 'choices', options: states.map((value) => ({ value, label: tx('exportState', value) })) },
    { key: 'kind', label: t('export.kind'), kind: 'choices', options: (kinds.data?.kinds ?? []).map((k) => ({ value: k.id, label: say(k.label) })) },
    { key: 'by', label: t('export.by'), kind: 'text' },
    { key: 'at', label: t('task.created'), kind: 'dates' },
  ], [kinds.data])

  function remove(e: Export) {
    modal.confirm({
      title: t('export.deleteTitle', { name: e.fileName }),
      content: e.state === 'waiting' || e.state === 'running' ? t('export.deleteRunning') : t('export.deleteHelp'),
      okText: t('common.delete'),
      okButtonProps: { danger: true },
      async onOk() {
        try {
          await deleteExport(e.id)
          void message.success(t('schedule.deleted', { name: e.fileName }))
        } catch (error) {
          void message.error(errorLine(error as Error), 6)
        }
        await queries.invalidateQueries({ queryKey: ['exports'] })
      },
    })
  }

  const columns: Column<Export>[] = [
    { key: 'name', title: t('export.file'), width: 224, sort: 'name', locked: true, render: (e) => (e.state === 'success' ? <a href={fileOf(e.id)} download title={e.fileName}>{e.fileName}</a> : <span title={e.fileName}>{e.fileName}</span>) },
    { key: 'kind', title: t('export.kind'), width: 150, render: (e) => say(kinds.data?.kinds.find((k) => k.id === e.request.kind)?.label) || e.request.kind },
    { key: 'format', title: t('export.format'), width: 78, render: (e) => e.request.format.toUpperCase() },
    { key: 'state', title: t('export.state'), width: 120, render: (e) => <State of={e} /> },
    { key: 'rows', title: t('export.rowCount'), width: 80, sort: 'rows', desc: true, align: 'right', render: (e) => <span className="num">{number(e.state === 'success' || e.state === 'expired' ? e.rows : e.total)}</span> },
    { key: 'bytes', title: t('images.size'), width: 76, align: 'right', render: (e) => (e.bytes > 0 ? <span className="num">{bytes(e.bytes)}</span> : <span className="muted">–</span>) },
    { key: 'by', title: t('export.by'), width: 84, render: (e) => e.by || '–' },
    { key: 'created', title: t('task.created'), width: 130, sort: 'created', desc: true, render: (e) => <Time value={e.created} /> },
    { key: 'expires', title: t('export.expires'), width: 118, render: (e) => (e.state === 'success' ? <Time value={e.expires} relative /> : <span className="muted">–</span>) },
    { key: 'ended', title: t('task.ended'), width: 132, optional: true, render: (e) => <Time value={e.ended} /> },
    { key: 'columns', title: t('export.columns'), width: 90, optional: true, align: 'right', render: (e) => <span className="num">{number((e.request.columns ?? []).length || kinds.data?.kinds.find((k) => k.id === e.request.kind)?.columns.length)}</span> },
    {
      key: 'actions', title: t('list.actions'), width: 132, end: true,
      render: (e) => (
        <span className="row nowrap">
          {e.state === 'success' && <a href={fileOf(e.id)} download aria-label={t('export.downloadOf', { name: e.fileName })}>{t('export.download')}</a>}
          <button type="button" className="plain link" onClick={() => remove(e)}>{t('common.delete')}</button>
        </span>
      ),
    },
  ]
  return (
    <>
      <PageHead title={t('nav.exports')} sub={t('export.sub')} />
      <AssetTable<Export>
        name="exports"
        columns={columns}
        filters={filters}
        placeholder={t('export.search')}
        load={({ atFrom, atTo, ...rest }, signal) => listExports({ ...rest, ...(atFrom !== undefined && { from: atFrom }), ...(atTo !== undefined && { to: atTo }) }, signal)}
        decorate={live}
        rowKey={(e) => e.id}
        empty={{ title: t('export.none'), help: t('export.noneHelp'), action: <a href="/images">{t('nav.images')}</a> }}
      />
    </>
  )
}

/** useLiveExports shows how far a file is as it is told, before the list has been asked for again. */
function useLiveExports(): (row: Export) => Export {
  const [told, setTold] = useState<Record<number, Export>>({})
  useEvents((type, data) => {
    if (type === 'reset') setTold({})
    if (type !== 'export') return
    const e = data as unknown as Export
    setTold((before) => ({ ...before, [e.id]: e }))
  })
  return useCallback((row) => {
    const news = told[row.id]
    // The list may have been asked for after the event.
    if (!news || row.ended) return row
    return { ...row, ...news, progress: news.total > 0 ? Math.min(99, Math.floor((news.rows * 100) / news.total)) : 0 }
  }, [told])
}

function State({ of: e }: { of: Export }) {
  if (e.state === 'running') {
    return <div><span className="num" style={{ color: 'var(--link)' }}>{e.progress} % <span className="muted">· {number(e.rows)}</span></span><Bar percent={e.progress} label={tx('exportState', 'running')} /></div>
  }
  const tag = <span className={`tag ${tone[e.state] ?? ''}`}>{tx('exportState', e.state)}</span>
  if (e.state !== 'failed' || !e.error) return tag
  return <Popover content={<Reason error={e.error} />}><span tabIndex={0} aria-label={`${tx('exportState', 'failed')}: ${errorText(e.error)}`}>{tag}</span></Popover>
}
