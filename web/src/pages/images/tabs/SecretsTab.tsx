import { useMemo } from 'react'
import { listContentSecrets, type PlacedSecret } from '../../../api/images'
import { severities } from '../../../app/theme'
import { t, tx } from '../../../i18n'
import { AssetTable } from '../../../table/AssetTable'
import type { Column } from '../../../table/columns'
import type { Filter } from '../../../table/state'
import type { TabProps } from '../ImageDrawer'
import { useOpened } from './opened'
import { secretColumns, SecretDetail, secretTypes } from '../../secrets/parts'

export default function SecretsTab({ row, content }: TabProps) {
  const imageID = row.imageID ?? ''
  const [opened, open] = useOpened<PlacedSecret>((s) => s.rowID)
  const filters = useMemo<Filter[]>(() => [
    { key: 'severity', label: t('finding.severity'), kind: 'choices', options: severities.map((s) => ({ value: s, label: tx('severity', s) })) },
    { key: 'type', label: t('secret.type'), kind: 'choices', options: secretTypes() },
    { key: 'uncounted', label: t('finding.uncounted'), kind: 'switch' },
  ], [])
  const columns: Column<PlacedSecret>[] = secretColumns(open)
  return (
    <>
      <AssetTable<PlacedSecret>
        name="content.secrets"
        of={[imageID]}
        scope="in"
        columns={columns}
        filters={filters}
        placeholder={t('secret.search')}
        exporting={{ kind: 'secrets', images: { imageIDs: [imageID] } }}
        load={(query, signal) => listContentSecrets(imageID, query, signal)}
        rowKey={(s) => s.rowID}
        open={open}
        empty={content.categories?.secret?.state === 'complete' ? { title: t('secret.none'), help: t('finding.noneHelp') } : { title: t('finding.notKnown'), help: t('finding.notKnownHelp') }}
      />
      {opened && <SecretDetail secret={opened} close={() => open(undefined)} />}
    </>
  )
}
