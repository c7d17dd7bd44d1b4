// The filters of lists of image rows, the same wherever such a list stands.
import { useMemo } from 'react'
import { listFacets } from '../../api/images'
import { severities } from '../../app/theme'
import { t, tx, useLanguage } from '../../i18n'
import { facet, useCounted } from '../../table/counted'
import type { Choice, Filter } from '../../table/state'
import { useQuota } from '../quota/useQuota'

export const statuses = ['not_scanned', 'scanning', 'scanned', 'cancelled', 'failed']
export const risks = ['at_risk', 'none', 'unknown']
export const riskKinds = ['vulnerability', 'malware', 'secret']

export const words = (group: string, all: readonly string[]): Choice[] => all.map((value) => ({ value, label: tx(group, value) }))

export function useImageFilters(): Filter[] {
  const language = useLanguage()
  const counted = useCounted(['images', 'facets'], (signal) => listFacets({}, signal), ['registry'])
  const enforced = useQuota()?.enabled ?? false
  return useMemo<Filter[]>(() => {
    void language // the words below are in it
    return [
      { key: 'status', label: t('images.status'), kind: 'choices', options: words('status', statuses) },
      { key: 'risk', label: t('images.security'), kind: 'choices', options: words('risk', risks) },
      { key: 'riskKind', label: t('images.risks'), kind: 'choices', options: words('category', riskKinds), more: true },
      { key: 'kind', label: t('registries.kind'), kind: 'choices', ...facet(counted, 'kinds', (kind) => tx('registryKind', kind)) },
      { key: 'registry', label: t('images.registry'), kind: 'choices', ...facet(counted, 'registries') },
      ...(enforced ? [{ key: 'licensed', label: t('quota.licence'), kind: 'one' as const, options: [{ value: 'true', label: t('quota.isLicensed') }, { value: 'false', label: t('quota.isNot') }], more: true }] : []),
      { key: 'newest', label: t('images.newestOnly'), kind: 'switch' },
      { key: 'highPriority', label: t('images.highPriorityOnly'), kind: 'switch' },
      { key: 'severity', label: t('images.severity'), kind: 'choices', options: words('severity', severities), more: true },
      { key: 'namespace', label: t('images.namespace'), kind: 'choices', ...facet(counted, 'namespaces'), more: true },
      { key: 'os', label: t('images.os'), kind: 'choices', ...facet(counted, 'os'), more: true },
      { key: 'arch', label: t('images.arch'), kind: 'choices', ...facet(counted, 'architectures'), more: true },
      { key: 'running', label: t('images.runningOnly'), kind: 'switch', more: true },
      { key: 'recommended', label: t('images.recommendedOnly'), kind: 'switch', more: true },
      { key: 'mustFix', label: t('images.mustFixOnly'), kind: 'switch', more: true },
      { key: 'fixable', label: t('images.fixableOnly'), kind: 'switch', more: true },
      { key: 'gone', label: t('images.goneOnly'), kind: 'switch', more: true },
      { key: 'package', label: t('images.package'), kind: 'text', more: true },
      { key: 'vulnerability', label: t('images.vulnerability'), kind: 'text', more: true },
      { key: 'scanned', label: t('images.scannedAt'), kind: 'dates', more: true },
      { key: 'created', label: t('images.created'), kind: 'dates', more: true },
      { key: 'pushed', label: t('images.pushed'), kind: 'dates', more: true },
      { key: 'synced', label: t('images.synced'), kind: 'dates', more: true },
      { key: 'size', label: t('images.size'), kind: 'sizes', more: true },
      { key: 'imageID', label: t('images.imageID'), kind: 'hidden' },
      { key: 'repository', label: t('images.repository'), kind: 'hidden' },
      { key: 'component', label: t('images.component'), kind: 'hidden' },
      { key: 'secret', label: t('images.sameSecret'), kind: 'hidden' },
      { key: 'malware', label: t('images.sameMalware'), kind: 'hidden' },
    ]
  }, [counted, enforced, language])
}
