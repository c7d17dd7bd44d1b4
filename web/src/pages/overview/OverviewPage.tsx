import RightOutlined from '@ant-design/icons/RightOutlined'
import { useQuery } from '@tanstack/react-query'
import Segmented from 'antd/es/segmented'
import { lazy, Suspense, type ReactNode } from 'react'
import { useSearchParams } from 'react-router'
import { getOverview, getTop, listDays, type Estate } from '../../api/overview'
import type { VulnerabilityRow } from '../../api/findings'
import { useUi } from '../../app/preferences'
import { severities } from '../../app/theme'
import { say, t, tx } from '../../i18n'
import { ago, number, percent, listed } from '../../lib/format'
import { PageHead, Panel, SeveritySplit, SeverityTag, Stat, totalOf } from '../../ui/bits'
import { ErrorNote } from '../../ui/ErrorNote'
import { detailOf } from '../images/columns'
import { QuotaCard } from '../quota/QuotaCard'
import { FirstRun } from './FirstRun'

const Trend = lazy(() => import('./Trend'))

const spans = ['7', '30', '90'] // days

const dayBefore = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

export function Component() {
  const overview = useQuery({ queryKey: ['overview', 'estate'], queryFn: getOverview, refetchInterval: 60_000 })
  const v = overview.data
  const started = v && v.repository.rows > 0 && v.repository.lastScan
  return (
    <>
      <PageHead title={t('nav.overview')} sub={v?.repository.lastScan && t('cards.lastScan', { ago: ago(v.repository.lastScan) })} />
      {overview.error && !v && <ErrorNote error={overview.error} retry={() => void overview.refetch()} />}
      {v && !started && <FirstRun estate={v} />}
      {v && <Figures v={v} />}
      {v && (
        <div className="grid overview">
          <div className="stack">
            <Attention v={v} />
            <TopImages />
            <History />
          </div>
          <div className="stack">
            <Worst v={v} />
            <TopVulnerabilities />
            <Knowledge v={v} />
            <QuotaCard />
          </div>
        </div>
      )}
    </>
  )
}

function Delta({ n }: { n: number | undefined }) {
  if (!n) return null
  return <span style={{ color: n > 0 ? 'var(--bad)' : 'var(--ok)' }}>{n > 0 ? '▲' : '▼'} {number(Math.abs(n))} {t('overview.sinceYesterday')}</span>
}

function Figures({ v }: { v: Estate }) {
  const o = v.repository
  const { local } = v
  const c = o.counters
  const d = v.change
  const distinct = totalOf(o.distinctIDs)
  return (
    <div className="stats">
      <Stat label={t('cards.atRisk')} value={o.atRisk} of={o.rows} bad to="/images?risk=at_risk" note={<Delta n={d?.atRisk} /> } />
      <Stat label={t('cards.images')} value={o.rows} to="/images" note={o.newToday > 0 ? t('overview.newToday', { count: o.newToday, n: number(o.newToday) }) : t('cards.contents', { count: o.images, n: number(o.images) })} />
      {local.hosts > 0 && <Stat label={t('overview.local')} value={local.atRisk} of={local.rows} bad to="/local-images?risk=at_risk" note={t('overview.onServers', { count: local.hosts, n: number(local.hosts) })} />}
      <Stat label={t('category.vulnerability')} value={totalOf(c.vulnerabilities)} to="/vulnerabilities" note={d?.vulnerabilities ? <Delta n={d.vulnerabilities} /> : t('cards.distinct', { count: distinct, n: number(distinct) })} />
      <Stat label={t('overview.exploited')} value={o.exploited} bad to="/vulnerabilities?exploited=true" note={<Delta n={d?.exploited} />} />
      <Stat label={t('category.malware')} value={totalOf(c.malware)} bad to="/malware" note={<Delta n={d?.malware} />} />
      <Stat label={t('category.secret')} value={totalOf(c.secrets)} to="/secrets" note={d?.secrets ? <Delta n={d.secrets} /> : t('cards.live', { count: c.liveSecrets, n: number(c.liveSecrets) })} />
    </div>
  )
}

/** Attention is what needs a person now, most urgent first, with the list that shows it. */
function Attention({ v }: { v: Estate }) {
  const all = v.needsAttention ?? []
  return (
    <Panel title={t('overview.attention')} flush>
      {all.length === 0 ? <div className="body muted">{t('overview.nothingUrgent')}</div> : (
        <ul className="attention">
          {all.map((a) => (
            <li key={a.kind}>
              <a href={`/${a.list}${a.filter && Object.keys(a.filter).length > 0 ? `?${new URLSearchParams(a.filter)}` : ''}`}>
                <SeverityTag severity={a.severity} />
                <strong className="num">{number(a.count)}</strong>
                <span className="grow">{say(a.reason)}</span>
                <RightOutlined aria-hidden />
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function History() {
  const { dark } = useUi()
  const [params, setParams] = useSearchParams()
  const span = params.get('days') ?? '30'
  const newest = params.get('of') === 'newest'
  const days = useQuery({ queryKey: ['overview', 'days', span], queryFn: () => listDays(dayBefore(Number(span))) })
  const set = (name: string, value: string | undefined) => setParams((before) => {
    const next = new URLSearchParams(before)
    if (value) next.set(name, value)
    else next.delete(name)
    return next
  }, { replace: true })
  return (
    <Panel
      title={t('overview.trend')}
      more={
        <span className="row wrap">
          <Segmented size="small" value={newest ? 'newest' : 'all'} onChange={(value) => set('of', value === 'newest' ? 'newest' : undefined)} options={[{ value: 'all', label: t('overview.allImages') }, { value: 'newest', label: t('images.newest') }]} />
          <Segmented size="small" value={span} onChange={(value) => set('days', value === '30' ? undefined : value)} options={spans.map((n) => ({ value: n, label: t('overview.days', { count: Number(n) }) }))} />
        </span>
      }
    >
      <div style={{ minHeight: days.data && days.data.length < 2 ? undefined : 220 }}>
        {days.data && days.data.length > 1 ? <Suspense><Trend days={days.data} newest={newest} dark={dark} /></Suspense> : days.data && <p className="muted" style={{ margin: 0 }}>{t('overview.noDays')}</p>}
      </div>
    </Panel>
  )
}

/** Worst are the newest images by their worst severity. */
function Worst({ v }: { v: Estate }) {
  const o = v.repository
  const counts = o.byWorst ?? {}
  const rows = [...severities.map((s) => ({ key: s as string, label: tx('severity', s), n: counts[s] ?? 0, to: `/images?newest=true&severity=${s}` }))].filter((r) => r.n > 0)
  const sum = rows.reduce((total, r) => total + r.n, 0)
  return (
    <Panel title={t('overview.worst')}>
      {sum > 0 && <div className="share" role="img" aria-label={rows.map((r) => `${r.label} ${r.n}`).join(', ')}>{rows.map((r) => <i key={r.key} className={r.key} style={{ flexGrow: r.n }} />)}</div>}
      <ul className="plain-list">
        {rows.map((r) => <li key={r.key} className="row"><span className={`dot sev-${r.key}`} /><a href={r.to}>{r.label}</a><span className="num" style={{ marginLeft: 'auto' }}>{number(r.n)}</span><span className="muted num" style={{ width: 48, textAlign: 'right' }}>{percent(r.n / sum)}</span></li>)}
        <li className="row"><span className="dot ok" /><a href="/images?risk=none">{tx('risk', 'none')}</a><span className="num" style={{ marginLeft: 'auto' }}>{number(o.noRisk)}</span><span style={{ width: 48 }} /></li>
        <li className="row"><span className="dot" /><a href="/images?risk=unknown">{tx('risk', 'unknown')}</a><span className="num" style={{ marginLeft: 'auto' }}>{number(o.unknown)}</span><span style={{ width: 48 }} /></li>
      </ul>
    </Panel>
  )
}

function TopVulnerabilities() {
  const [params, setParams] = useSearchParams()
  const running = params.get('top') === 'running'
  const top = useQuery({ queryKey: ['overview', 'top'], queryFn: getTop })
  const rows: VulnerabilityRow[] = (running ? top.data?.running : top.data?.newest) ?? []
  return (
    <Panel
      title={t('overview.topVulnerabilities')}
      more={<Segmented size="small" value={running ? 'running' : 'newest'} onChange={(value) => setParams((before) => { const next = new URLSearchParams(before); if (value === 'running') next.set('top', 'running'); else next.delete('top'); return next }, { replace: true })} options={[{ value: 'newest', label: t('images.newest') }, { value: 'running', label: t('images.running') }]} />}
    >
      {top.data && rows.length === 0 && <p className="muted" style={{ margin: 0 }}>{running ? t('overview.noRunning') : t('finding.noneAnywhere')}</p>}
      <ol className="plain-list" style={{ minHeight: 130 }}>
        {rows.map((r) => (
          <Line key={r.id} left={<><SeverityTag severity={r.severity} /><a href={`/vulnerabilities/${encodeURIComponent(r.id)}`}>{r.id}</a>{r.kev && <span className="tag critical">KEV</span>}</>} text={r.title} right={<a href={`/images?vulnerability=${encodeURIComponent(r.id)}`} className="nowrap">{t('overview.imagesCount', { count: r.images, n: number(r.images) })}</a>} />
        ))}
      </ol>
    </Panel>
  )
}

function TopImages() {
  const top = useQuery({ queryKey: ['overview', 'top'], queryFn: getTop })
  const rows = top.data?.images ?? []
  return (
    <Panel title={t('overview.topImages')} more={<a href="/images?highPriority=true">{t('overview.all')}</a>}>
      {top.data && rows.length === 0 && <p className="muted" style={{ margin: 0 }}>{t('overview.noPriority')}</p>}
      <ol className="plain-list" style={{ minHeight: 130 }}>
        {rows.map((r) => (
          <Line key={r.id} left={<a href={detailOf(r)}>{r.repository}:{r.tag}</a>} text={listed((r.highPriority ?? []).map((x) => tx('reason', x)))} right={<SeveritySplit counts={r.counters.vulnerabilities} to={(s) => detailOf(r, 'vulnerabilities', `in.severity=${s}`)} />} />
        ))}
      </ol>
    </Panel>
  )
}

function Line({ left, text, right }: { left: ReactNode; text?: string; right: ReactNode }) {
  return <li className="row">{left}<span className="muted ellipsis grow" title={text}>{text}</span>{right}</li>
}

function Knowledge({ v }: { v: Estate }) {
  const k = v.knowledge
  const r = v.registries
  return (
    <Panel title={t('overview.sources')}>
      <ul className="plain-list">
        <li className="row"><span className={`dot ${!k.known ? 'bad' : k.stale ? 'warn' : 'ok'}`} /><a href="/feeds">{t('nav.feeds')}</a><span className="muted" style={{ marginLeft: 'auto' }}>{k.known ? t('overview.knowledge', { n: number(k.records), ago: ago(k.built) }) : t('overview.noKnowledge')}</span></li>
        <li className="row"><span className={`dot ${r.failing > 0 ? 'bad' : 'ok'}`} /><a href="/registries">{t('nav.registries')}</a><span className="muted" style={{ marginLeft: 'auto' }}>{t('overview.registries', { healthy: number(r.healthy), failing: number(r.failing), total: number(r.total) })}</span></li>
        <li className="row"><span className={`dot ${v.repository.waiting > 0 ? 'info' : 'ok'}`} /><a href="/tasks">{t('nav.tasks')}</a><span className="muted" style={{ marginLeft: 'auto' }}>{t('overview.queue', { waiting: number(v.repository.waiting), running: number(v.repository.byStatus?.scanning ?? 0) })}</span></li>
      </ul>
    </Panel>
  )
}
