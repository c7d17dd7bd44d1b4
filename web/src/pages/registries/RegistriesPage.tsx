import MoreOutlined from '@ant-design/icons/MoreOutlined'
import PlusOutlined from '@ant-design/icons/PlusOutlined'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Dropdown from 'antd/es/dropdown'
import { lazy, Suspense, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { cancelSync, deleteRegistries, listKinds, listRegistries, startSync, testRegistry, type Registry } from '../../api/registries'
import { useSession } from '../../app/session'
import { say, t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { AssetTable, type Ticked } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { PageHead, Time } from '../../ui/bits'
import { errorLine } from '../../ui/ErrorNote'
import { Health } from './Health'
import { Limit } from './Limit'
import { SyncState } from './SyncState'

const RegistryForm = lazy(() => import('./RegistryForm'))
const SyncHistory = lazy(() => import('./SyncHistory'))

const statuses = ['connected', 'auth_failed', 'forbidden', 'unreachable', 'tls_failed', 'not_a_registry', 'wrong_version', 'no_catalogue', 'rate_limited', 'failed']

export function Component() {
  const { may } = useSession()
  const { message, modal } = AntApp.useApp()
  const queries = useQueryClient()
  const [params, setParams] = useSearchParams()
  const kinds = useQuery({ queryKey: ['registry-kinds'], queryFn: listKinds, staleTime: Infinity })
  const everyOne = { queryKey: ['registries', 'all'], queryFn: () => listRegistries({}) }
  const all = useQuery(everyOne)
  const change = may('registries')

  const test = useMutation({
    mutationFn: testRegistry,
    onSuccess: (health, id) => {
      const name = all.data?.items.find((r) => r.id === id)?.name ?? ''
      if (health.status === 'connected') void message.success(t('registries.works', { name }))
      else void message.error([`${name}: ${tx('health', health.status)}.`, say(health.reason), say(health.remedy)].join(' '), 8)
    },
    onError: (e) => void message.error(errorLine(e)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['registries'] }),
  })

  const sync = useMutation({
    mutationFn: (ids: number[]) => startSync({ ids, full: true }),
    onSuccess: ({ started, running }) => void message.success(t('sync.startedCount', { count: (started ?? []).length + (running ?? []).length })),
    onError: (e) => void message.error(errorLine(e)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['registries'] }),
  })
  const stop = useMutation({
    mutationFn: cancelSync,
    onError: (e) => void message.error(errorLine(e)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['registries'] }),
  })

  function show(what: Record<string, string | undefined>) {
    setParams((before) => {
      const next = new URLSearchParams(before)
      for (const [name, value] of Object.entries(what)) {
        if (value) next.set(name, value)
        else next.delete(name)
      }
      return next
    })
  }

  function remove(ids: number[], done?: () => void) {
    const chosen = all.data?.items.filter((r) => ids.includes(r.id)) ?? []
    const images = chosen.reduce((sum, r) => sum + r.images, 0)
    modal.confirm({
      title: t('registries.deleteTitle', { count: chosen.length, names: chosen.map((r) => r.name).join(', ') }),
      content: t('registries.deleteHelp', { count: images, n: number(images) }),
      okText: t('common.delete'),
      okButtonProps: { danger: true },
      async onOk() {
        try {
          const gone = await deleteRegistries(ids)
          void message.success(t('registries.deleted', { n: number(gone.images) }))
          done?.()
        } catch (e) {
          void message.error(errorLine(e as Error))
        }
        await queries.invalidateQueries()
      },
    })
  }

  const filters = useMemo<Filter[]>(
    () => [
      { key: 'kind', label: t('registries.kind'), kind: 'choices', options: (kinds.data ?? []).map((k) => ({ value: k.kind, label: say(k.label) })) },
      { key: 'health', label: t('registries.health'), kind: 'choices', options: statuses.map((s) => ({ value: s, label: tx('health', s) })) },
    ],
    [kinds.data],
  )

  const columns: Column<Registry>[] = [
    { key: 'name', title: t('registries.name'), width: 180, locked: true, render: (r) => <a href={`/images?registry=${r.id}`}><strong>{r.name}</strong></a> },
    { key: 'kind', title: t('registries.kind'), width: 132, render: (r) => say(kinds.data?.find((k) => k.kind === r.kind)?.label) || r.kind },
    { key: 'address', title: t('registries.address'), width: 170, render: (r) => <span className="mono">{r.address}</span> },
    { key: 'health', title: t('registries.health'), width: 110, render: (r) => <Health health={r.health} /> },
    { key: 'sync', title: t('registries.sync'), width: 138, render: (r) => <SyncState registry={r} history={() => show({ syncs: String(r.id) })} /> },
    { key: 'images', title: t('registries.images'), width: 78, align: 'right', render: (r) => <a className="num" href={`/images?registry=${r.id}`}>{number(r.images)}</a> },
    { key: 'atRisk', title: t('registries.atRisk'), width: 78, align: 'right', render: (r) => <a className="num" href={`/images?registry=${r.id}&risk=at_risk`}>{number(r.atRisk)}</a> },
    { key: 'repositories', title: t('registries.repositories'), width: 100, align: 'right', optional: true, render: (r) => <span className="num">{number(r.repositories)}</span> },
    { key: 'limit', title: t('registries.limit'), width: 130, render: (r) => <Limit registry={r} /> },
    { key: 'network', title: t('registries.network'), width: 100, optional: true, render: (r) => tx('network', r.networkType || 'public') },
    { key: 'region', title: t('registries.region'), width: 110, optional: true, render: (r) => r.region || '–' },
    { key: 'username', title: t('registries.username'), width: 120, optional: true, render: (r) => r.username || '–' },
    { key: 'created', title: t('registries.created'), width: 140, optional: true, render: (r) => <Time value={r.created} /> },
    ...(change
      ? [{
          key: 'actions', title: t('list.actions'), width: 130, end: true,
          render: (r: Registry) => (
            <span className="row">
              <button type="button" className="plain link" onClick={() => show({ edit: String(r.id) })}>{t('common.change')}</button>
              <button type="button" className="plain link" disabled={test.isPending} onClick={() => test.mutate(r.id)}>{test.isPending && test.variables === r.id ? t('registries.testing') : t('registries.testShort')}</button>
              <Dropdown trigger={['click']} menu={{ items: [
                r.sync.state === 'running'
                  ? { key: 'stop', label: t('sync.stop'), onClick: () => stop.mutate(r.id) }
                  : { key: 'sync', label: t('sync.assets'), onClick: () => sync.mutate([r.id]) },
                { key: 'syncs', label: t('registries.history'), onClick: () => show({ syncs: String(r.id) }) },
                { key: 'delete', label: t('common.delete'), danger: true, onClick: () => remove([r.id]) },
              ] }}>
                <Button type="text" size="small" icon={<MoreOutlined aria-hidden />} aria-label={t('list.moreActions', { name: r.name })} />
              </Dropdown>
            </span>
          ),
        }]
      : []),
  ]

  const edit = params.get('edit')
  const edited = edit && edit !== 'new' ? all.data?.items.find((r) => String(r.id) === edit) : undefined
  const add = <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => show({ edit: 'new' })}>{t('registries.add')}</Button>
  const health = all.data && {
    good: all.data.items.filter((r) => r.health.status === 'connected').length,
    bad: all.data.items.filter((r) => r.health.status && r.health.status !== 'connected').length,
  }

  return (
    <>
      <PageHead
        title={t('nav.registries')}
        sub={health && health.good + health.bad > 0 && (
          <span className="row">
            <a href="/registries?health=connected"><span className="dot ok" /> {t('registries.healthy', { n: health.good })}</a>
            {health.bad > 0 && <a href={`/registries?health=${statuses.slice(1).join(',')}`}><span className="dot bad" /> {t('registries.failing', { n: health.bad })}</a>}
          </span>
        )}
      >
        {change && add}
      </PageHead>
      <AssetTable<Registry>
        name="registries"
        columns={columns}
        filters={filters}
        placeholder={t('registries.search')}
        load={({ kind, health: status, search }, signal) => kind || status || search
          ? listRegistries({ kind: kind as string[], health: status as string[], search: search as string }, signal)
          : queries.fetchQuery(everyOne)}
        rowKey={(r) => r.id}
        open={(r) => show({ edit: String(r.id) })}
        bulk={change ? (ticked: Ticked) => {
          const { selection } = ticked
          const ids = selection.mode === 'some' ? (selection.keys as number[]) : (all.data?.items.map((r) => r.id).filter((id) => !selection.except.includes(id)) ?? [])
          return <><Button size="small" onClick={() => sync.mutate(ids)}>{t('sync.assets')}</Button><Button danger size="small" onClick={() => remove(ids, ticked.clear)}>{t('common.delete')}</Button></>
        } : undefined}
        refetchInterval={(page) => (page?.items.some((r) => r.sync.state === 'running') ? 3000 : false)}
        empty={{ title: t('registries.none'), help: t('registries.noneHelp'), action: change && add }}
      />
      <Suspense>
        {change && (edit === 'new' || edited) && (
          <RegistryForm key={edit} registry={edited} close={() => show({ edit: undefined })} saved={(r) => { show({ edit: undefined }); if (!edited) sync.mutate([r.id]) }} />
        )}
        {params.get('syncs') && <SyncHistory registry={Number(params.get('syncs'))} name={all.data?.items.find((r) => String(r.id) === params.get('syncs'))?.name ?? ''} close={() => show({ syncs: undefined })} />}
      </Suspense>
    </>
  )
}
