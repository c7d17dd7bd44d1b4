import Drawer from 'antd/es/drawer'
import type { PlacedSecret } from '../../api/images'
import { say, t, tx } from '../../i18n'
import { useNarrow } from '../../lib/narrow'
import type { Column } from '../../table/columns'
import { Fact, SeverityTag, Time } from '../../ui/bits'
import { Place } from '../../ui/Place'
import { nameOf } from './title'

export function secretTypes() {
  return ['private key', 'cloud key', 'token', 'password', 'connection string', 'webhook', 'hash', 'certificate', 'keystore'].map((value) => ({ value, label: tx('secretType', value) }))
}

export function secretColumns<R extends PlacedSecret>(open: (row: R) => void): Column<R>[] {
  return [
    { key: 'title', title: t('secret.name'), width: 220, sort: 'rule', locked: true, render: (s) => <button type="button" className="plain link" title={s.title || s.rule} onClick={() => open(s)}>{nameOf(s)}</button> },
    { key: 'severity', title: t('finding.severity'), width: 92, sort: 'severity', desc: true, render: (s) => <SeverityTag severity={s.severity} /> },
    { key: 'type', title: t('secret.type'), width: 120, render: (s) => tx('secretType', s.type) || '–' },
    { key: 'path', title: t('secret.source'), width: 270, sort: 'path', render: (s) => <span className="mono">{s.path ? `${s.path}${s.line ? `:${s.line}` : ''}` : tx('secretSource', s.source)}</span> },
    { key: 'preview', title: t('secret.preview'), width: 130, render: (s) => <span className="mono">{s.preview}</span> },
    {
      key: 'layer', title: t('finding.layer'), width: 120,
      render: (s) => (
        <span className="row wrap" style={{ gap: 4 }}>
          {s.origin ? (s.origin.layer < 0 ? t('place.config') : `L${s.origin.layer}`) : '–'}
          {s.origin?.deletedBy !== undefined && <span className="tag warn" title={t('secret.deletedHelp')}>{t('secret.deleted')}</span>}
        </span>
      ),
    },
    { key: 'since', title: t('finding.since'), width: 130, sort: 'since', desc: true, optional: true, render: (s) => <Time value={s.since} /> },
  ]
}

export function SecretDetail({ secret: s, close }: { secret: PlacedSecret; close(): void }) {
  const narrow = useNarrow()
  return (
    <Drawer open onClose={close} size={narrow ? '100%' : 'min(640px, 80vw)'} title={nameOf(s)}>
      <div className="stack">
        <div className="row"><SeverityTag severity={s.severity} /><span className="muted">{tx('secretType', s.type)}</span></div>
        {(say(s.advice) || s.origin?.deletedBy !== undefined) && (
          <div className="note warn"><div><p><strong>{t('finding.advice')}</strong></p><p>{say(s.advice)}</p>{s.origin?.deletedBy !== undefined && <p>{t('secret.deletedHelp')}</p>}</div></div>
        )}
        <dl className="facts">
          <Fact label={t('secret.preview')}><span className="mono">{s.preview}</span></Fact>
          <Fact label={t('secret.found')}>{tx('secretSource', s.source)}</Fact>
          <Fact label={t('secret.rule')}><span className="mono">{s.rule}</span>{s.title && s.title !== nameOf(s) && <p className="muted" lang="en" style={{ margin: 0 }}>{s.title}</p>}</Fact>
          <Fact label={t('finding.since')}><Time value={s.since} /></Fact>
          {s.suppressed && <Fact label={t('finding.suppressed')}>{s.suppressed}</Fact>}
        </dl>
        <Place path={s.path} line={s.line} origin={s.origin} />
      </div>
    </Drawer>
  )
}
