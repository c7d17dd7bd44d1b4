import MoreOutlined from '@ant-design/icons/MoreOutlined'
import PlusOutlined from '@ant-design/icons/PlusOutlined'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Dropdown from 'antd/es/dropdown'
import Switch from 'antd/es/switch'
import { lazy, Suspense, useState } from 'react'
import { useSearchParams } from 'react-router'
import { deleteSchedule, enableSchedule, listSchedules, runSchedule, type Schedule } from '../../api/schedules'
import { useSession } from '../../app/session'
import { t, tx } from '../../i18n'
import { ago, listed, number } from '../../lib/format'
import { ownZone } from '../../lib/zone'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import { PageHead, Time } from '../../ui/bits'
import { errorLine } from '../../ui/ErrorNote'
import { Result } from './Result'
import { conditionsOf, frequencyOf, momentIn } from './words'

const ScheduleDialog = lazy(() => import('./ScheduleDialog'))
const Runs = lazy(() => import('./Runs'))

export function Component() {
  const { may } = useSession()
  const { message, modal } = AntApp.useApp()
  const queries = useQueryClient()
  const [params, setParams] = useSearchParams()
  const [rows, setRows] = useState<Schedule[]>([])
  const change = may('scan')

  const show = (what: Record<string, string | undefined>) => setParams((before) => {
    const next = new URLSearchParams(before)
    for (const [name, value] of Object.entries(what)) {
      if (value) next.set(name, value)
      else next.delete(name)
    }
    for (const name of [...next.keys()]) if (name.startsWith('in.')) next.delete(name)
    return next
  })
  const failed = (e: Error) => void message.error(errorLine(e), 6)
  const refresh = () => Promise.all(['schedules', 'schedule.runs', 'tasks', 'images', 'overview'].map((word) => queries.invalidateQueries({ queryKey: [word] })))

  const toggle = useMutation({ mutationFn: ({ id, on }: { id: number; on: boolean }) => enableSchedule(id, on), onError: failed, onSettled: refresh })
  const run = useMutation({
    mutationFn: (s: Schedule) => runSchedule(s.id),
    onSuccess: ({ task, result }, s) => {
      if (task) void message.success(<span>{t('schedule.ran', { name: s.name })} <a href={`/tasks/${task.id}`}>{t('scan.toTask')}</a></span>, 5)
      else void message.info(`${s.name}: ${tx('scheduleResult', result)}`, 5)
    },
    onError: failed,
    onSettled: refresh,
  })

  function remove(s: Schedule) {
    modal.confirm({
      title: t('schedule.deleteTitle', { name: s.name }),
      content: t('schedule.deleteHelp'),
      okText: t('common.delete'),
      okButtonProps: { danger: true },
      async onOk() {
        try {
          await deleteSchedule(s.id)
          void message.success(t('schedule.deleted', { name: s.name }))
        } catch (e) {
          failed(e as Error)
        }
        await refresh()
      },
    })
  }

  const columns: Column<Schedule>[] = [
    { key: 'name', title: t('schedule.name'), width: 140, locked: true, render: (s) => (change ? <button type="button" className="plain link wraps" onClick={() => show({ edit: String(s.id) })}><strong>{s.name}</strong></button> : <strong>{s.name}</strong>) },
    {
      key: 'enabled', title: t('schedule.switch'), width: 64,
      render: (s) => <Switch size="small" checked={s.enabled} disabled={!change} loading={toggle.isPending && toggle.variables.id === s.id} onChange={(on) => toggle.mutate({ id: s.id, on })} aria-label={t('schedule.switchOf', { name: s.name })} />,
    },
    { key: 'kind', title: t('schedule.kind'), width: 92, render: (s) => tx('imageKind', s.kind ?? 'repository') },
    { key: 'frequency', title: t('schedule.frequency'), width: 172, render: (s) => <span className="wraps">{frequencyOf(s)}{s.zone !== ownZone() && <span className="muted"> {s.zone}</span>}</span> },
    { key: 'categories', title: t('scan.categories'), width: 160, render: (s) => <span className="wraps">{listed(s.categories.map((c) => tx('category', c)))}</span> },
    { key: 'scope', title: t('scan.scope'), width: 140, render: (s) => <Scope schedule={s} /> },
    { key: 'next', title: t('schedule.next'), width: 132, render: (s) => (s.next ? <span title={`${momentIn(s.next, s.zone)} ${s.zone}`}><Time value={s.next} /><div className="muted small" style={{ margin: 0 }}>{ago(s.next)}</div></span> : <span className="muted">{t('schedule.off')}</span>) },
    {
      key: 'last', title: t('schedule.last'), width: 140,
      render: (s) => (s.last ? (
        <span><span className="row" style={{ gap: 6 }}><Result run={s.last} />{s.last.task && <a href={`/tasks/${s.last.task.id}`}>#{s.last.task.id}</a>}</span><div className="muted small" style={{ margin: 0 }}><Time value={s.last.started} /></div></span>
      ) : <span className="muted">{t('schedule.never')}</span>),
    },
    { key: 'rest', title: t('schedule.putBack'), width: 96, align: 'right', optional: true, render: (s) => <span className="num" title={t('schedule.putBackHelp')}>{number(s.rest)}</span> },
    { key: 'zone', title: t('settings.zone'), width: 140, optional: true, render: (s) => s.zone },
    { key: 'by', title: t('schedule.by'), width: 110, optional: true, render: (s) => s.by || '–' },
    { key: 'updated', title: t('schedule.updated'), width: 136, optional: true, render: (s) => <Time value={s.updated} /> },
    {
      key: 'actions', title: t('list.actions'), width: change ? 150 : 80, end: true,
      render: (s) => (
        <span className="row nowrap">
          <button type="button" className="plain link" onClick={() => show({ runs: String(s.id) })}>{t('schedule.runs')}</button>
          {change && (
            <>
              <button type="button" className="plain link" disabled={run.isPending} onClick={() => run.mutate(s)}>{t('schedule.runNow')}</button>
              <Dropdown trigger={['click']} menu={{ items: [
                { key: 'edit', label: t('common.change'), onClick: () => show({ edit: String(s.id) }) },
                { key: 'delete', label: t('common.delete'), danger: true, onClick: () => remove(s) },
              ] }}>
                <Button type="text" size="small" icon={<MoreOutlined aria-hidden />} aria-label={t('list.moreActions', { name: s.name })} />
              </Dropdown>
            </>
          )}
        </span>
      ),
    },
  ]

  const add = <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => show({ edit: 'new' })}>{t('schedule.add')}</Button>
  const edit = params.get('edit')
  const runs = Number(params.get('runs'))
  return (
    <>
      <PageHead title={t('nav.schedules')} sub={t('schedule.sub')}>{change && add}</PageHead>
      <AssetTable<Schedule>
        name="schedules"
        columns={columns}
        searchable={false}
        load={(_query, signal) => listSchedules(signal)}
        rowKey={(s) => s.id}
        open={change ? (s) => show({ edit: String(s.id) }) : undefined}
        onRows={setRows}
        // Runs begin and end by themselves.
        refetchInterval={(page) => (page?.items.some((s) => s.last && !s.last.ended) ? 3000 : 15_000)}
        empty={{ title: t('schedule.none'), help: t('schedule.noneHelp'), action: change && add }}
      />
      <Suspense>
        {change && edit && <ScheduleDialog key={edit} kind="repository" id={edit === 'new' ? 'new' : Number(edit)} close={() => show({ edit: undefined })} />}
        {runs > 0 && <Runs id={runs} name={rows.find((s) => s.id === runs)?.name ?? ''} close={() => show({ runs: undefined })} />}
      </Suspense>
    </>
  )
}

function Scope({ schedule }: { schedule: Schedule }) {
  const { narrowed, excluded, picked } = conditionsOf(schedule)
  const more = [
    picked > 0 && t('picker.count', { count: picked, n: number(picked) }),
    narrowed > 0 && t('schedule.narrowed', { count: narrowed, n: number(narrowed) }),
    excluded > 0 && t('schedule.excluded', { count: excluded, n: number(excluded) }),
  ].filter(Boolean)
  return <span className="wraps">{tx('scope', schedule.scope)}{more.length > 0 && <div className="muted small" style={{ margin: 0 }}>{more.join(' · ')}</div>}</span>
}
