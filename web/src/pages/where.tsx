// Where something was found: the filters that lists across images share.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link } from 'react-router'
import { later } from '../api/client'
import { getOverview } from '../api/overview'
import { listRegistries } from '../api/registries'
import { t, useLanguage } from '../i18n'
import type { Filter } from '../table/state'

export function useWhere(): Filter[] {
  const language = useLanguage()
  const registries = useQuery({ queryKey: ['registries', 'all'], queryFn: ({ signal }) => later().then(() => listRegistries({}, signal)), staleTime: 60_000 })
  return useMemo<Filter[]>(() => {
    void language // the words below are in it
    return [
      { key: 'newest', label: t('images.newestOnly'), kind: 'switch' },
      { key: 'running', label: t('images.runningOnly'), kind: 'switch' },
      { key: 'registry', label: t('images.registry'), kind: 'choices', options: (registries.data?.items ?? []).map((r) => ({ value: String(r.id), label: r.name })), more: true },
    ]
  }, [registries.data, language])
}

/** useNothing is what a list of findings says when it is empty: that there are none only once something was scanned. */
export function useNothing(title: string) {
  const { data } = useQuery({ queryKey: ['overview', 'estate'], queryFn: getOverview, staleTime: 60_000 })
  if (data && !data.repository.lastScan && !data.local.lastScan) {
    return { title: t('finding.unscanned'), help: t('finding.unscannedHelp'), action: <Link to="/images?dialog=scan">{t('scan.quick')}</Link> }
  }
  return { title, help: t('finding.noneAnywhere') }
}
