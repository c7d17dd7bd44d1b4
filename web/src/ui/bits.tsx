// Small things that many pages show.
import Tooltip from 'antd/es/tooltip'
import type { ReactNode } from 'react'
import { severities } from '../app/theme'
import { begun, spoken, t, tx } from '../i18n'
import { ago, compact, number, timestamp } from '../lib/format'

export function PageHead({ title, sub, children }: { title: ReactNode; sub?: ReactNode; children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {sub && <div className="sub">{sub}</div>}
      {children && <div className="actions">{children}</div>}
    </div>
  )
}

export function Panel({ title, more, children, flush }: { title?: ReactNode; more?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className="panel">
      {title && <div className="head"><h2>{title}</h2>{more && <div className="more">{more}</div>}</div>}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  )
}

/** Stat is a number that leads to what it counts. */
export function Stat({ label, value, of, note, to, bad }: { label: string; value: number | undefined; of?: number; note?: ReactNode; to?: string; bad?: boolean }) {
  const inner = (
    <>
      <div className="label">{label}</div>
      <div className={`value${bad && value ? ' bad' : ''}`}>
        {value === undefined ? '–' : number(value)}
        {of !== undefined && <small> / {number(of)}</small>}
      </div>
      <div className="foot">{note}</div>
    </>
  )
  return to ? <a className="stat" href={to}>{inner}</a> : <div className="stat">{inner}</div>
}

export function Time({ value, relative }: { value: string | undefined | null; relative?: boolean }) {
  if (!value) return <span className="muted">–</span>
  const text = timestamp(value)
  return <time className="nowrap num" dateTime={value} title={relative ? text : ago(value)}>{relative ? ago(value) : text}</time>
}

export function SeverityTag({ severity }: { severity: string | undefined }) {
  const word = severity || 'unknown'
  return <span className={`tag ${word}`}>{tx('severity', word)}</span>
}

export type BySeverity = Record<(typeof severities)[number], number>

/** SeveritySplit shows the four worst counts; each leads to its findings. */
export function SeveritySplit({ counts, to }: { counts: Partial<BySeverity> | undefined; to?: (severity: string) => string }) {
  return (
    <span className="split">
      {severities.filter((s) => s !== 'negligible' || counts?.negligible).filter((s) => s !== 'unknown' || counts?.unknown).map((s) => {
        const n = counts?.[s] ?? 0
        const label = `${tx('severity', s)}: ${number(n)}`
        if (n === 0) return <span key={s} className="zero" title={label}>0</span>
        return to ? <a key={s} className={s} href={to(s)} title={label} aria-label={label}>{compact(n)}</a> : <span key={s} className={s} title={label}>{compact(n)}</span>
      })}
    </span>
  )
}

export function totalOf(counts: Partial<BySeverity> | undefined): number {
  return severities.reduce((sum, s) => sum + (counts?.[s] ?? 0), 0)
}

/** Copyable is a digest, an id or a path that people take elsewhere. */
export function Copyable({ text, shown }: { text: string; shown?: string }) {
  return (
    <Tooltip title={t('common.copy', { text })}>
      <button type="button" className="plain mono" onClick={() => void navigator.clipboard?.writeText(text)} style={{ overflowWrap: 'anywhere' }}>{shown ?? text}</button>
    </Tooltip>
  )
}

export function Bar({ percent, failed, label }: { percent: number; failed?: boolean; label: string }) {
  return (
    <div className={`bar${failed ? ' failed' : ''}`} role="progressbar" aria-valuenow={Math.round(percent)} aria-valuemin={0} aria-valuemax={100} aria-label={label}>
      <i style={{ width: `${Math.max(0, Math.min(100, percent))}%` }} />
    </div>
  )
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return <><dt>{label}</dt><dd>{children}</dd></>
}

/** Spoken is a sentence of the service, in the console's language where the phrase book has it. */
export function Spoken({ text }: { text: string }) {
  const said = spoken(text)
  return <span lang={said.lang}>{begun(said.text)}</span>
}
