import CheckCircleFilled from '@ant-design/icons/CheckCircleFilled'
import type { Estate } from '../../api/overview'
import { t } from '../../i18n'
import { Panel } from '../../ui/bits'

/** FirstRun leads from nothing to the first results: connect, synchronise, know, scan, read. */
export function FirstRun({ estate: v }: { estate: Estate }) {
  const steps = [
    { done: v.registries.total > 0, title: t('first.connect'), help: t('first.connectHelp'), to: '/registries?edit=new', go: t('registries.add') },
    { done: v.repository.rows > 0, title: t('first.sync'), help: t('first.syncHelp'), to: '/registries', go: t('nav.registries') },
    { done: v.knowledge.known, title: t('first.feeds'), help: t('first.feedsHelp'), to: '/feeds', go: t('nav.feeds') },
    { done: !!v.repository.lastScan, title: t('first.scan'), help: t('first.scanHelp'), to: '/images?dialog=scan', go: t('scan.quick') },
    { done: false, title: t('first.read'), help: t('first.readHelp'), to: '/images', go: t('nav.images') },
  ]
  const current = steps.findIndex((s) => !s.done)
  return (
    <div style={{ marginBottom: 12 }}>
      <Panel title={t('first.title')}>
        <ol className="first-run">
          {steps.map((s, i) => (
            <li key={s.title} className={s.done ? 'done' : i === current ? 'current' : ''} aria-current={i === current ? 'step' : undefined}>
              <span className="mark">{s.done ? <CheckCircleFilled aria-label={t('first.done')} /> : i + 1}</span>
              <div><strong>{s.title}</strong><p className="muted">{s.help}</p>{(i === current || s.done) && <a href={s.to}>{s.go}</a>}</div>
            </li>
          ))}
        </ol>
      </Panel>
    </div>
  )
}
