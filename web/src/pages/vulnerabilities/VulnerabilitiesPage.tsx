import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { listVulnerabilities, type VulnerabilityRow } from '../../api/findings'
import { severities } from '../../app/theme'
import { t, tx } from '../../i18n'
import { number, percent } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { PageHead, SeverityTag, Time } from '../../ui/bits'
import { packageTypes } from '../images/tabs/VulnerabilitiesTab'
import { useNothing, useWhere } from '../where'

const detail = (id: string) => `/vulnerabilities/${encodeURIComponent(id)}`

/** Presets are the questions that people come with. */
const presets = [
  { key: 'all', query: '' },
  { key: 'severe', query: '?severity=critical,high' },
  { key: 'exploited', query: '?exploited=true' },
  { key: 'system', query: '?system=true' },
  { key: 'application', query: '?application=true' },
]

export function Component() {
  const navigate = useNavigate()
  const where = useWhere()
  const filters = useMemo<Filter[]>(() => [
    { key: 'severity', label: t('finding.severity'), kind: 'choices', options: severities.map((s) => ({ value: s, label: tx('severity', s) })) },
    { key: 'fixable', label: t('finding.fixableOnly'), kind: 'switch' },
    { key: 'exploited', label: t('finding.exploitedOnly'), kind: 'switch' },
    ...where,
    { key: 'type', label: t('finding.type'), kind: 'choices', options: packageTypes(), more: true },
    { key: 'system', label: t('finding.system'), kind: 'switch', more: true },
    { key: 'application', label: t('finding.application'), kind: 'switch', more: true },
    { key: 'uncounted', label: t('finding.uncounted'), kind: 'switch', more: true },
    { key: 'package', label: t('finding.package'), kind: 'text', more: true },
  ], [where])

  const columns: Column<VulnerabilityRow>[] = [
    { key: 'id', title: t('finding.vulnerability'), width: 170, sort: 'id', locked: true, render: (v) => <a href={detail(v.id)}>{v.id}</a> },
    { key: 'severity', title: t('finding.severity'), width: 92, sort: 'severity', desc: true, render: (v) => <SeverityTag severity={v.severity} /> },
    { key: 'title', title: t('finding.title'), width: 320, render: (v) => <span lang="en" title={v.title}>{v.title || '–'}</span> },
    { key: 'score', title: 'CVSS', width: 70, sort: 'score', desc: true, align: 'right', render: (v) => <span className="num">{v.score ? v.score.toFixed(1) : '–'}</span> },
    { key: 'epss', title: t('finding.exploitation'), width: 110, sort: 'epss', desc: true, render: (v) => <span className="row" style={{ gap: 4 }}>{v.kev && <span className="tag critical" title={t('finding.kevHelp')}>KEV</span>}<span className="num">{v.epss ? percent(v.epss.score) : '–'}</span></span> },
    { key: 'fixable', title: t('finding.fix'), width: 90, render: (v) => (v.fixable ? <span className="tag ok">{t('finding.available')}</span> : <span className="muted">{t('finding.none')}</span>) },
    { key: 'images', title: t('finding.images'), width: 90, sort: 'images', desc: true, align: 'right', render: (v) => <a href={detail(v.id)} className="num">{number(v.images)}</a> },
    { key: 'published', title: t('finding.published'), width: 130, sort: 'published', desc: true, optional: true, render: (v) => <Time value={v.published} /> },
    { key: 'firstSeen', title: t('finding.firstSeen'), width: 130, sort: 'firstSeen', desc: true, render: (v) => <Time value={v.firstSeen} /> },
    { key: 'lastSeen', title: t('finding.lastSeen'), width: 130, sort: 'lastSeen', desc: true, optional: true, render: (v) => <Time value={v.lastSeen} /> },
  ]

  return (
    <>
      <PageHead title={t('nav.vulnerabilities')} sub={<nav className="presets" aria-label={t('finding.presets')}>{presets.map((p) => <a key={p.key} href={`/vulnerabilities${p.query}`}>{tx('preset', p.key)}</a>)}</nav>} />
      <AssetTable<VulnerabilityRow>
        name="vulnerabilities"
        columns={columns}
        filters={filters}
        placeholder={t('finding.searchAll')}
        exporting={{ kind: 'vulnerabilities', also: ['findings'] }}
        load={listVulnerabilities}
        rowKey={(v) => v.id}
        open={(v) => void navigate(detail(v.id))}
        empty={useNothing(t('finding.noVulnerability'))}
      />
    </>
  )
}
