import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import { lazy, Suspense, useState } from 'react'
import { adoptFeeds, getFeeds, listAdoptions, previewFeeds, rollBackFeeds, updateFeeds, type Adoption, type FeedState } from '../../api/feeds'
import { useSession } from '../../app/session'
import { t, tx } from '../../i18n'
import { ago, bytes, number, short } from '../../lib/format'
import { Copyable, PageHead, Panel, Spoken, Stat, Time } from '../../ui/bits'
import { Empty } from '../../ui/Empty'
import { ErrorNote, detailOf, errorLine, errorText, remedyText } from '../../ui/ErrorNote'
import { SmallTable } from '../../ui/SmallTable'

const Import = lazy(() => import('./Import'))

const old = 7 * 86_400_000 // ms after which a source's newest record is called old

type Source = NonNullable<Adoption['bundle']['feeds']>[number]

export function Component() {
  const { may } = useSession()
  const { message, modal } = AntApp.useApp()
  const queries = useQueryClient()
  const [importing, setImporting] = useState(false)
  const state = useQuery({ queryKey: ['feeds', 'state'], queryFn: getFeeds, refetchInterval: (q) => (q.state.data?.waiting || (q.state.data?.inForce?.pending ?? 0) > 0 ? 3000 : 60_000) })
  const history = useQuery({ queryKey: ['feeds', 'history'], queryFn: () => listAdoptions(20) })
  const change = may('feeds')

  const settled = { onError: (e: Error) => void message.error(errorLine(e)), onSettled: () => queries.invalidateQueries({ queryKey: ['feeds'] }) }
  const update = useMutation({ mutationFn: updateFeeds, onSuccess: () => void message.success(t('feeds.started')), ...settled })
  const back = useMutation({ mutationFn: rollBackFeeds, onSuccess: (a) => void message.success(t('feeds.rolledBack', { bundle: short(a.bundle.digest) })), ...settled })

  function confirmBack(feeds: FeedState) {
    modal.confirm({
      title: t('feeds.backTitle'),
      content: t('feeds.backHelp', { bundle: short(feeds.inForce?.bundle.digest), n: feeds.earlier }),
      okText: t('feeds.back'),
      onOk: () => back.mutateAsync().catch(() => undefined),
    })
  }

  const feeds = state.data
  const buttons = change && (
    <>
      <Button disabled={!feeds?.earlier} onClick={() => feeds && confirmBack(feeds)}>{t('feeds.back')}</Button>
      <Button onClick={() => setImporting(true)}>{t('feeds.import')}</Button>
      <Button type="primary" loading={update.isPending || feeds?.waiting} onClick={() => update.mutate()}>{feeds?.waiting ? t('feeds.updating') : t('feeds.update')}</Button>
    </>
  )

  return (
    <>
      <PageHead title={t('nav.feeds')} sub={t('feeds.sub')}>{buttons}</PageHead>
      {state.error && !feeds && <ErrorNote error={state.error} retry={() => void state.refetch()} />}
      <div className="stack">
        {feeds && <LastRun feeds={feeds} />}
        {change && feeds?.inForce && <Waits />}
        {feeds && !feeds.inForce && (
          <Panel><Empty title={t('feeds.none')} help={t('feeds.noneHelp')} action={change && <Button type="primary" onClick={() => update.mutate()} loading={update.isPending || feeds.waiting}>{t('feeds.update')}</Button>} /></Panel>
        )}
        {feeds?.inForce && <InForce adoption={feeds.inForce} size={feeds.size} />}
        {history.data && history.data.items.length > 0 && <History adoptions={history.data.items} />}
      </div>
      <Suspense>{importing && <Import close={() => setImporting(false)} />}</Suspense>
    </>
  )
}

function LastRun({ feeds }: { feeds: FeedState }) {
  const last = feeds.last
  if (feeds.waiting) return <div className="note info" role="status"><p>{t('feeds.running')}</p></div>
  if (last?.error) {
    return (
      <div className="note bad" role="status">
        <div>
          <p><strong>{t('feeds.lastFailed', { what: tx('feedReason', last.reason), ago: ago(last.ended) })}</strong></p>
          <p>{errorText(last.error)} {detailOf(last.error) && <span className="muted" lang="en">{detailOf(last.error)}</span>}</p>
          <p>{remedyText(last.error)}</p>
        </div>
      </div>
    )
  }
  if (last?.ignored && last.ignored.length > 0) {
    return <div className="note warn"><p>{t('feeds.ignored', { count: last.ignored.length })} <span className="mono">{last.ignored.join(', ')}</span></p></div>
  }
  return null
}

/** Waits is a bundle that somebody has to look at before it counts, and what adopting it would change. */
function Waits() {
  const { message } = AntApp.useApp()
  const queries = useQueryClient()
  const preview = useQuery({ queryKey: ['feeds', 'preview'], queryFn: previewFeeds, staleTime: 30_000 })
  const adopt = useMutation({
    mutationFn: adoptFeeds,
    onSuccess: () => void message.success(t('feeds.nowInForce')),
    onError: (e) => void message.error(errorLine(e)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['feeds'] }),
  })
  const p = preview.data
  if (!p?.bundle) return null
  return (
    <div className="note info">
      <div className="grow">
        <p><strong>{t('feeds.waits')}</strong> <span className="mono">{short(p.bundle.digest)}</span></p>
        <p>{t('feeds.waitsHelp', { count: p.packages, keys: number(p.keys), n: number(p.packages), images: number(p.images) })}</p>
      </div>
      <Button type="primary" loading={adopt.isPending} onClick={() => adopt.mutate()}>{t('feeds.adopt')}</Button>
    </div>
  )
}

function InForce({ adoption, size }: { adoption: Adoption; size?: number }) {
  const sources = adoption.bundle.feeds ?? []
  const records = sources.reduce((sum, s) => sum + s.records, 0)
  const newest = sources.map((s) => s.newest).filter(Boolean).sort().at(-1)
  return (
    <>
      <div className="stats" style={{ marginBottom: 0 }}>
        <Stat label={t('feeds.records')} value={records} note={t('feeds.sources', { count: sources.length })} />
        <Stat label={t('feeds.changed')} value={adoption.keys} note={t('feeds.affected', { count: adoption.affected, n: number(adoption.affected) })} />
        <Stat label={t('feeds.pending')} value={adoption.pending} note={adoption.pending > 0 ? t('feeds.pendingNote') : t('feeds.pendingNone')} />
        <div className="stat"><div className="label">{t('feeds.newest')}</div><div className="value" style={{ fontSize: 16 }}>{newest ? ago(newest) : '–'}</div><div className="foot"><Time value={newest} /></div></div>
        <div className="stat"><div className="label">{t('feeds.bundle')}</div><div className="value" style={{ fontSize: 16 }}><Copyable text={adoption.bundle.digest} shown={short(adoption.bundle.digest)} /></div><div className="foot">{bytes(size)} · {t('feeds.adopted', { ago: ago(adoption.at), by: adoption.by })}</div></div>
      </div>
      <Panel title={t('feeds.sourcesTitle')} flush>
        <SmallTable<Source>
          rowKey={(s) => s.source}
          rows={sources}
          columns={[
            { title: t('feeds.source'), width: 150, render: (s) => <span className="mono">{s.source}</span> },
            { title: t('feeds.records'), width: 84, align: 'right', render: (s) => <span className="num">{number(s.records)}</span> },
            { title: t('feeds.newest'), width: 190, render: (s) => (s.newest ? <span className="row"><Time value={s.newest} />{Date.now() - Date.parse(s.newest) > old && <span className="tag warn">{t('feeds.old')}</span>}</span> : '–') },
            { title: t('feeds.fetched'), width: 140, render: (s) => <Time value={s.fetched} /> },
            { title: t('feeds.refused'), width: 76, align: 'right', render: (s) => number(s.refused ?? 0) },
            { title: t('feeds.holes'), width: 440, render: (s) => (s.holes ?? []).map((h) => <div key={h} className="muted"><Spoken text={h} /></div>) },
          ]}
        />
      </Panel>
    </>
  )
}

function History({ adoptions }: { adoptions: Adoption[] }) {
  return (
    <Panel title={t('feeds.history')} flush>
      <SmallTable<Adoption>
        rowKey={(a) => a.id}
        rows={adoptions}
        columns={[
          { title: t('feeds.at'), width: 150, render: (a) => <Time value={a.at} /> },
          { title: t('feeds.reason'), width: 120, render: (a) => tx('feedReason', a.reason) },
          { title: t('feeds.by'), width: 120, render: (a) => a.by },
          { title: t('feeds.bundle'), width: 140, render: (a) => <Copyable text={a.bundle.digest} shown={short(a.bundle.digest)} /> },
          { title: t('feeds.keys'), width: 130, align: 'right', render: (a) => <span className="num">{number(a.keys)}</span> },
          { title: t('feeds.judged'), align: 'right', width: 130, render: (a) => <span className="num">{number(a.affected)}</span> },
        ]}
      />
    </Panel>
  )
}
