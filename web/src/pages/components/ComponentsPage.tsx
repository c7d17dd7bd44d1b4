import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { listComponents, type ComponentRow } from '../../api/findings'
import { severities } from '../../app/theme'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { PageHead, SeverityTag } from '../../ui/bits'
import { packageTypes } from '../images/tabs/VulnerabilitiesTab'
import { useWhere } from '../where'

/** "Where is log4j-core?" */
export function Component() {
  const navigate = useNavigate()
  const where = useWhere()
  const filters = useMemo<Filter[]>(() => [
    { key: 'type', label: t('finding.type'), kind: 'choices', options: packageTypes() },
    { key: 'vulnerable', label: t('component.vulnerableOnly'), kind: 'switch' },
    { key: 'worst', label: t('component.worst'), kind: 'choices', options: severities.map((s) => ({ value: s, label: tx('severity', s) })) },
    ...where,
    { key: 'system', label: t('finding.system'), kind: 'switch', more: true },
    { key: 'application', label: t('finding.application'), kind: 'switch', more: true },
  ], [where])
  const columns: Column<ComponentRow>[] = [
    { key: 'name', title: t('component.name'), width: 300, sort: 'name', locked: true, render: (c) => <a href={`/components/${c.id}`}>{c.package.name}</a> },
    { key: 'version', title: t('component.version'), width: 200, render: (c) => <span className="mono">{c.package.version}</span> },
    { key: 'type', title: t('finding.type'), width: 90, render: (c) => c.package.type },
    { key: 'distro', title: t('component.distro'), width: 150, render: (c) => c.distro || '–' },
    { key: 'images', title: t('finding.images'), width: 100, sort: 'images', desc: true, align: 'right', render: (c) => <a href={`/images?component=${c.id}`} className="num">{number(c.images)}</a> },
    { key: 'vulnerabilities', title: t('category.vulnerability'), width: 120, sort: 'vulnerabilities', desc: true, align: 'right', render: (c) => (c.vulnerabilities > 0 ? <a href={`/vulnerabilities?package=${encodeURIComponent(c.package.name)}`} className="num">{number(c.vulnerabilities)}</a> : <span className="muted num">0</span>) },
    { key: 'worst', title: t('component.worst'), width: 100, sort: 'worst', desc: true, render: (c) => (c.worst ? <SeverityTag severity={c.worst} /> : '–') },
    { key: 'licenses', title: t('component.licenses'), width: 200, optional: true, render: (c) => (c.package.licenses ?? []).join(', ') || '–' },
    { key: 'purl', title: 'PURL', width: 320, optional: true, render: (c) => <span className="mono">{c.package.purl || '–'}</span> },
  ]
  return (
    <>
      <PageHead title={t('nav.components')} sub={t('component.sub')} />
      <AssetTable<ComponentRow>
        name="components"
        columns={columns}
        filters={filters}
        placeholder={t('component.searchAll')}
        exporting={{ kind: 'components', also: ['packages'] }}
        load={listComponents}
        rowKey={(c) => c.id}
        open={(c) => void navigate(`/components/${c.id}`)}
        empty={{ title: t('component.none'), help: t('component.noneAnywhere') }}
      />
    </>
  )
}
