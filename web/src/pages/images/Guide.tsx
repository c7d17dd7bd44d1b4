import { useQuery } from '@tanstack/react-query'
import Modal from 'antd/es/modal'
import { getEgress } from '../../api/registries'
import { t } from '../../i18n'
import { Copyable } from '../../ui/bits'
import { ErrorNote } from '../../ui/ErrorNote'

/** Guide says what a registry with an allow list has to let in, and what else there is to do at first. */
export default function Guide({ close }: { close(): void }) {
  const egress = useQuery({ queryKey: ['egress'], queryFn: getEgress, staleTime: 60_000 })
  const addresses = egress.data?.addresses ?? []
  return (
    <Modal open title={t('guide.title')} footer={null} onCancel={close} width={620}>
      <ol className="guide">
        <li><strong>{t('guide.allow')}</strong><p>{t('guide.allowHelp')}</p>
          {egress.error ? <ErrorNote error={egress.error} retry={() => void egress.refetch()} /> : (
            <ul>{addresses.map((a) => <li key={a}><Copyable text={a} /></li>)}</ul>
          )}
        </li>
        <li><strong>{t('guide.network')}</strong><p>{t('guide.networkHelp')} <a href="/registries">{t('nav.registries')}</a></p></li>
        <li><strong>{t('guide.first')}</strong><p>{t('guide.firstHelp')}</p></li>
        <li><strong>{t('guide.daily')}</strong><p>{t('guide.dailyHelp')}</p></li>
      </ol>
    </Modal>
  )
}
