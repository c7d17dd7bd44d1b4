import { useMemo } from 'react'
import { useLocation } from 'react-router'
import { listContentPackages, type PlacedPackage } from '../../../api/images'
import { severities } from '../../../app/theme'
import { t, tx } from '../../../i18n'
import { number } from '../../../lib/format'
import { AssetTable } from '../../../table/AssetTable'
import type { Column } from '../../../table/columns'
import type { Filter } from '../../../table/state'
import { SeverityTag } from '../../../ui/bits'
import { detailOf } from '../columns'
import type { TabProps } from '../ImageDrawer'
import { packageTypes } from './VulnerabilitiesTab'

export default function ComponentsTab({ row }: TabProps) {
  const imageID = row.imageID ?? ''
  const { search } = useLocation()
  const filters = useMemo<Filter[]>(() => [
    { key: 'vulnerable', label: t('component.vulnerableOnly'), kind: 'switch' },
    { key: 'type', label: t('finding.type'), kind: 'choices', options: packageTypes() },
    { key: 'worst', label: t('component.worst'), kind: 'choices', options: severities.map((s) => ({ value: s, label: tx('severity', s) })) },
    { key: 'system', label: t('finding.system'), kind: 'switch', more: true },
    { key: 'application', label: t('finding.application'), kind: 'switch', more: true },
  ], [])
  const findings = (p: PlacedPackage) => {
    const params = new URLSearchParams(search)
    for (const name of [...params.keys()]) if (name.startsWith('in.')) params.delete(name)
    params.set('in.package', p.package.name)
    return detailOf(row, 'vulnerabilities', params.toString())
  }
  const columns: Column<PlacedPackage>[] = [
    { key: 'name', title: t('component.name'), width: 230, sort: 'name', locked: true, render: (p) => <a href={`/components/${p.componentID}`}>{p.package.name}</a> },
    { key: 'version', title: t('component.version'), width: 160, sort: 'version', render: (p) => <span className="mono">{p.package.version}</span> },
    { key: 'type', title: t('finding.type'), width: 80, sort: 'type', render: (p) => p.package.type },
    { key: 'vulnerabilities', title: t('category.vulnerability'), width: 110, sort: 'vulnerabilities', desc: true, align: 'right', render: (p) => (p.vulnerabilities > 0 ? <a href={findings(p)} className="num">{number(p.vulnerabilities)}</a> : <span className="muted num">0</span>) },
    { key: 'worst', title: t('component.worst'), width: 92, sort: 'worst', desc: true, render: (p) => (p.worst ? <SeverityTag severity={p.worst} /> : '–') },
    { key: 'path', title: t('finding.path'), width: 280, sort: 'path', render: (p) => <span className="mono">{p.package.path}</span> },
    { key: 'layer', title: t('finding.layer'), width: 70, sort: 'layer', align: 'right', render: (p) => (p.package.origin ? `L${p.package.origin.layer}` : '–') },
    { key: 'licenses', title: t('component.licenses'), width: 160, optional: true, render: (p) => (p.package.licenses ?? []).join(', ') || '–' },
    { key: 'purl', title: 'PURL', width: 300, optional: true, render: (p) => <span className="mono">{p.package.purl || '–'}</span> },
  ]
  return (
    <AssetTable<PlacedPackage>
      name="content.packages"
      of={[imageID]}
      scope="in"
      columns={columns}
      filters={filters}
      placeholder={t('component.search')}
      exporting={{ kind: 'packages', images: { imageIDs: [imageID] } }}
      load={(query, signal) => listContentPackages(imageID, query, signal)}
      rowKey={(p) => `${p.componentID} ${p.package.path} ${p.package.line ?? ''}`}
      empty={{ title: t('component.none'), help: t('component.noneHelp') }}
    />
  )
}
