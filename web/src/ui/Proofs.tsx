import type { Schema } from '../api/client'
import { t } from '../i18n'
import { day } from '../lib/format'
import { Fact, Spoken } from './bits'

/** Proofs say why a finding is believed: the record that decided, and the comparison that it took. */
export function Proofs({ proofs }: { proofs: Schema<'Proof'>[] }) {
  return (
    <>
      {proofs.map((p, i) => (
        <div key={i} className="proof">
          <h3>{t('proof.title')}</h3>
          <dl className="facts">
            <Fact label={t('proof.advisory')}>{p.url ? <a href={p.url} style={{ textDecoration: 'underline' }} target="_blank" rel="noreferrer noopener">{p.advisory}</a> : p.advisory}{p.feed && <span className="muted"> · {p.feed}</span>}{p.revision && <span className="muted"> · {t('proof.revision', { at: day(p.revision) })}</span>}</Fact>
            <Fact label={t('proof.package')}><span className="mono">{p.name}</span> <span className="muted">({p.ecosystem})</span></Fact>
            <Fact label={t('proof.range')}><span className="mono">{p.range}</span></Fact>
            <Fact label={t('proof.decision')}><span className="mono"><Spoken text={p.decision} /></span></Fact>
          </dl>
        </div>
      ))}
    </>
  )
}
