import { useQuery } from '@tanstack/react-query'
import Modal from 'antd/es/modal'
import { listSyncs } from '../../api/registries'
import { t, tx } from '../../i18n'
import { duration, number } from '../../lib/format'
import { Time } from '../../ui/bits'
import { ErrorNote, errorText, remedyText } from '../../ui/ErrorNote'
import { SmallTable } from '../../ui/SmallTable'

export default function SyncHistory({ registry, name, close }: { registry: number; name: string; close(): void }) {
  const runs = useQuery({ queryKey: ['syncs', registry], queryFn: () => listSyncs(registry) })
  return (
    <Modal open title={t('sync.history', { name })} footer={null} onCancel={close} width={820}>
      {runs.error ? <ErrorNote error={runs.error} retry={() => void runs.refetch()} /> : (
        <SmallTable
          rowKey={(r) => r.id}
          rows={runs.data ?? []}
          height={420}
          empty={t('sync.never')}
          columns={[
            { title: t('sync.started'), width: 140, render: (r) => <Time value={r.started} /> },
            { title: t('sync.reason'), width: 90, render: (r) => tx('syncReason', r.reason) },
            { title: t('sync.kind'), width: 90, render: (r) => (r.full ? t('sync.full') : t('sync.incremental')) },
            { title: t('sync.took'), width: 90, render: (r) => (r.ended ? duration((Date.parse(r.ended) - Date.parse(r.started)) / 1000) : t('sync.running')) },
            { title: t('sync.changes'), width: 130, render: (r) => <span className="num">+{number(r.added)} ~{number(r.changed)} −{number(r.gone)}</span> },
            { title: t('sync.result'), render: (r) => (r.error ? <span><span className="tag bad">{tx('syncState', r.state)}</span> {errorText(r.error)} {remedyText(r.error)}</span> : <span className={`tag ${r.state === 'success' ? 'ok' : 'info'}`}>{tx('syncState', r.state)}</span>) },
          ]}
        />
      )}
    </Modal>
  )
}
