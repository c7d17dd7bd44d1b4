import { useMemo } from 'react'
import { listLocalFacets } from '../../api/hosts'
import { severities } from '../../app/theme'
import { t, tx, useLanguage } from '../../i18n'
import { facet, useCounted } from '../../table/counted'
import type { Filter } from '../../table/state'
import { riskKinds, risks, statuses, words } from '../images/filters'
import { useQuota } from '../quota/useQuota'

/** useLocalFilters are the filters of lists of images on servers. */
export function useLocalFilters(): Filter[] {
  const language = useLanguage()
  const counted = useCounted(['local-images', 'facets'], (signal) => listLocalFacets({}, signal), ['host'])
  const enforced = useQuota()?.enabled
  return useMemo<Filter[]>(() => {
    void language // the words below are in it
    const either = (yes: string, no: string) => [{ value: 'true', label: yes }, { value: 'false', label: no }]
    return [
      { key: 'status', label: t('images.status'), kind: 'choices', options: words('status', statuses) },
      { key: 'risk', label: t('images.security'), kind: 'choices', options: words('risk', risks) },
      { key: 'host', label: t('host.one'), kind: 'choices', ...facet(counted, 'hosts') },
      { key: 'highPriority', label: t('local.highPriorityOnly'), kind: 'switch' },
      { key: 'project', label: t('host.project'), kind: 'choices', ...facet(counted, 'projects'), more: true },
      { key: 'label', label: t('host.label'), kind: 'choices', ...facet(counted, 'labels'), more: true },
      { key: 'riskKind', label: t('images.risks'), kind: 'choices', options: words('category', riskKinds), more: true },
      { key: 'severity', label: t('images.severity'), kind: 'choices', options: words('severity', severities), more: true },
      { key: 'engine', label: t('host.engine'), kind: 'choices', ...facet(counted, 'engines', (engine) => tx('engine', engine)), more: true },
      { key: 'used', label: t('local.used'), kind: 'one', options: either(t('local.isUsed'), t('local.isNotUsed')), more: true },
      { key: 'scannable', label: t('local.scannable'), kind: 'one', options: either(t('local.can'), t('local.cannot')), more: true },
      ...(enforced ? [{ key: 'licensed', label: t('quota.licence'), kind: 'one' as const, options: either(t('quota.isLicensed'), t('quota.isNot')), more: true }] : []),
      { key: 'os', label: t('images.os'), kind: 'choices', ...facet(counted, 'os'), more: true },
      { key: 'arch', label: t('images.arch'), kind: 'choices', ...facet(counted, 'architectures'), more: true },
      { key: 'newest', label: t('images.newestOnly'), kind: 'switch', more: true },
      { key: 'running', label: t('images.runningOnly'), kind: 'switch', more: true },
      { key: 'recommended', label: t('images.recommendedOnly'), kind: 'switch', more: true },
      { key: 'mustFix', label: t('images.mustFixOnly'), kind: 'switch', more: true },
      { key: 'fixable', label: t('images.fixableOnly'), kind: 'switch', more: true },
      { key: 'container', label: t('container.one'), kind: 'text', more: true },
      { key: 'pod', label: 'Pod', kind: 'text', more: true },
      { key: 'package', label: t('images.package'), kind: 'text', more: true },
      { key: 'vulnerability', label: t('images.vulnerability'), kind: 'text', more: true },
      { key: 'scanned', label: t('images.scannedAt'), kind: 'dates', more: true },
      { key: 'created', label: t('images.created'), kind: 'dates', more: true },
      { key: 'synced', label: t('local.changed'), kind: 'dates', more: true },
      { key: 'size', label: t('images.size'), kind: 'sizes', more: true },
      { key: 'imageID', label: t('images.imageID'), kind: 'hidden' },
      { key: 'component', label: t('images.component'), kind: 'hidden' },
      { key: 'secret', label: t('images.sameSecret'), kind: 'hidden' },
      { key: 'malware', label: t('images.sameMalware'), kind: 'hidden' },
    ]
  }, [counted, enforced, language])
}
