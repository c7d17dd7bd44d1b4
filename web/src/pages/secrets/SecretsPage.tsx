import { useMemo } from 'react'
import { listSecrets, type SecretRow } from '../../api/findings'
import { severities } from '../../app/theme'
import { t, tx } from '../../i18n'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import type { Filter } from '../../table/state'
import { PageHead } from '../../ui/bits'
import { useOpened } from '../images/tabs/opened'
import { Holders } from '../Holders'
import { useNothing, useWhere } from '../where'
import { SecretDetail, secretColumns, secretTypes } from './parts'

export function Component() {
  const where = useWhere()
  const [opened, open] = useOpened<SecretRow>((s) => s.rowID)
  const filters = useMemo<Filter[]>(() => [
    { key: 'severity', label: t('finding.severity'), kind: 'choices', options: severities.map((s) => ({ value: s, label: tx('severity', s) })) },
    { key: 'type', label: t('secret.type'), kind: 'choices', options: secretTypes() },
    ...where,
    { key: 'uncounted', label: t('finding.uncounted'), kind: 'switch', more: true },
  ], [where])
  const base = secretColumns<SecretRow>(open)
  const columns: Column<SecretRow>[] = [
    ...base.slice(0, 3),
    { key: 'image', title: t('finding.inImages'), width: 200, render: (s) => <Holders image={s.image} images={s.images ?? 1} tab="secrets" all={`/images?secret=${s.rowID}`} /> },
    ...base.slice(3),
  ]
  return (
    <>
      <PageHead title={t('nav.secrets')} sub={<span>{t('secret.sub')} <a href="/secrets?severity=critical,high">{t('secret.live')}</a></span>} />
      <AssetTable<SecretRow>
        name="secrets"
        columns={columns}
        filters={filters}
        placeholder={t('secret.search')}
        exporting={{ kind: 'secrets' }}
        load={listSecrets}
        rowKey={(s) => s.rowID}
        open={open}
        empty={useNothing(t('secret.none'))}
      />
      {opened && <SecretDetail secret={opened} close={() => open(undefined)} />}
    </>
  )
}
