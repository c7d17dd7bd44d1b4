import { useMemo } from 'react'
import { useLocation, useSearchParams } from 'react-router'
import { listContentVulnerabilities, type FindingRow } from '../../../api/images'
import { severities } from '../../../app/theme'
import { t, tx } from '../../../i18n'
import { percent } from '../../../lib/format'
import { AssetTable } from '../../../table/AssetTable'
import type { Column } from '../../../table/columns'
import type { Filter } from '../../../table/state'
import { SeverityTag, Time } from '../../../ui/bits'
import type { TabProps } from '../ImageDrawer'
import { FindingDetail } from './FindingDetail'

export function packageTypes() {
  return ['deb', 'rpm', 'apk', 'npm', 'pypi', 'maven', 'golang', 'gem', 'composer', 'nuget', 'cargo'].map((value) => ({ value, label: value }))
}

export default function VulnerabilitiesTab({ row, content }: TabProps) {
  const imageID = row.imageID ?? ''
  const [params, setParams] = useSearchParams()
  const location = useLocation()
  const opened = params.get('v')

  const filters = useMemo<Filter[]>(() => [
    { key: 'severity', label: t('finding.severity'), kind: 'choices', options: severities.map((s) => ({ value: s, label: tx('severity', s) })) },
    { key: 'fixable', label: t('finding.fixableOnly'), kind: 'switch' },
    { key: 'exploited', label: t('finding.exploitedOnly'), kind: 'switch' },
    { key: 'type', label: t('finding.type'), kind: 'choices', options: packageTypes() },
    { key: 'system', label: t('finding.system'), kind: 'switch', more: true },
    { key: 'application', label: t('finding.application'), kind: 'switch', more: true },
    { key: 'uncounted', label: t('finding.uncounted'), kind: 'switch', more: true },
    { key: 'package', label: t('finding.package'), kind: 'text', more: true },
  ], [])

  const open = (id: string | undefined) => setParams((before) => {
    const next = new URLSearchParams(before)
    if (id) next.set('v', id)
    else next.delete('v')
    return next
  })

  const columns: Column<FindingRow>[] = [
    { key: 'id', title: t('finding.vulnerability'), width: 165, sort: 'id', locked: true, render: (f) => <a href={withV(location.search, f.id)}>{f.id}</a> },
    { key: 'severity', title: t('finding.severity'), width: 92, sort: 'severity', desc: true, render: (f) => <span className="row" style={{ gap: 4 }}><SeverityTag severity={f.severity} /></span> },
    { key: 'package', title: t('finding.package'), width: 190, sort: 'package', render: (f) => f.package.name },
    { key: 'installed', title: t('finding.installed'), width: 140, render: (f) => <span className="mono">{f.package.version}</span> },
    { key: 'fixed', title: t('finding.fixed'), width: 140, render: (f) => (f.fixedVersion ? <span className="mono" style={{ color: 'var(--ok)' }}>{f.fixedVersion}</span> : <span className="muted">{tx('fixState', f.fixState)}</span>) },
    { key: 'score', title: 'CVSS', width: 64, align: 'right', render: (f) => <span className="num">{f.score ? f.score.toFixed(1) : '–'}</span> },
    { key: 'epss', title: t('finding.exploitation'), width: 110, sort: 'epss', desc: true, render: (f) => <span className="row" style={{ gap: 4 }}>{f.kev && <span className="tag critical" title={t('finding.kevHelp')}>KEV</span>}<span className="num">{f.epss ? percent(f.epss) : '–'}</span></span> },
    { key: 'layer', title: t('finding.layer'), width: 62, align: 'right', render: (f) => (f.package.layer === undefined ? '–' : `L${f.package.layer}`) },
    { key: 'type', title: t('finding.type'), width: 80, optional: true, render: (f) => f.package.type },
    { key: 'path', title: t('finding.path'), width: 260, optional: true, render: (f) => <span className="mono">{f.package.path || '–'}</span> },
    { key: 'title', title: t('finding.title'), width: 300, optional: true, render: (f) => f.title || '–' },
    { key: 'since', title: t('finding.since'), width: 130, sort: 'since', desc: true, optional: true, render: (f) => <Time value={f.since} /> },
  ]

  return (
    <>
      <AssetTable<FindingRow>
        name="content.vulnerabilities"
        of={[imageID]}
        scope="in"
        columns={columns}
        filters={filters}
        placeholder={t('finding.search')}
        exporting={{ kind: 'findings', images: { imageIDs: [imageID] } }}
        load={(query, signal) => listContentVulnerabilities(imageID, query, signal)}
        rowKey={(f) => f.rowID}
        open={(f) => open(f.id)}
        empty={content.categories?.vulnerability?.state === 'complete'
          ? { title: t('finding.noVulnerability'), help: t('finding.noneHelp') }
          : { title: t('finding.notKnown'), help: t('finding.notKnownHelp') }}
      />
      {opened && <FindingDetail imageID={imageID} vulnerability={opened} close={() => open(undefined)} />}
    </>
  )
}

function withV(search: string, id: string): string {
  const params = new URLSearchParams(search)
  params.set('v', id)
  return `?${params}`
}
