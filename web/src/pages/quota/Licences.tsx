import Drawer from 'antd/es/drawer'
import { listLicences, type Licence } from '../../api/quota'
import { t, tx } from '../../i18n'
import { short } from '../../lib/format'
import { useNarrow } from '../../lib/narrow'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import { Copyable, Time } from '../../ui/bits'

/** Licences are the units that one line of the ledger spent. */
export default function Licences({ entry, close }: { entry: number; close(): void }) {
  const narrow = useNarrow()
  const columns: Column<Licence>[] = [
    { key: 'image', title: t('images.name'), width: 320, locked: true, render: (l) => <a href={`/images?imageID=${encodeURIComponent(l.imageID)}`}>{l.image || short(l.imageID)}</a> },
    { key: 'imageID', title: t('images.imageID'), width: 130, render: (l) => <Copyable text={l.imageID} shown={short(l.imageID)} /> },
    { key: 'at', title: t('quota.at'), width: 136, render: (l) => <Time value={l.at} /> },
    { key: 'by', title: t('quota.by'), width: 120, render: (l) => l.by || '–' },
    { key: 'action', title: t('quota.action'), width: 120, render: (l) => tx('quotaAction', l.action) },
  ]
  return (
    <Drawer open size={narrow ? '100%' : 'min(880px, 88vw)'} onClose={close} title={t('quota.licences')} styles={{ body: { background: 'var(--bg)' } }}>
      <AssetTable<Licence>
        name="quota.licences"
        of={[entry]}
        scope="in"
        columns={columns}
        searchable={false}
        load={(query, signal) => listLicences({ ...query, entry }, signal)}
        rowKey={(l) => l.imageID}
        empty={{ title: t('quota.none'), help: t('quota.noneHelp') }}
      />
    </Drawer>
  )
}
