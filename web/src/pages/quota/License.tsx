// Licensing images: what it costs is said before, and nothing is spent when it is
// more than there is.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Modal from 'antd/es/modal'
import { useState } from 'react'
import type { AssetFilter } from '../../api/images'
import { licenseImages, previewLicences, type QuotaNeed } from '../../api/quota'
import { t } from '../../i18n'
import { number } from '../../lib/format'
import { ErrorNote } from '../../ui/ErrorNote'

interface Props {
  filter: AssetFilter
  /** Of the image, if it is one. */
  name?: string
  close(done: boolean): void
}

export default function License({ filter, name, close }: Props) {
  const queries = useQueryClient()
  const { message } = AntApp.useApp()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const need = useQuery({ queryKey: ['quota', 'need', filter], queryFn: ({ signal }) => previewLicences(filter, signal), staleTime: 0, retry: false })
  const n = need.data

  async function license() {
    setBusy(true)
    setError(undefined)
    try {
      const entry = await licenseImages(filter)
      void message.success(t('quota.licensed', { count: entry.images, n: number(entry.images), left: number(Math.max(0, entry.total - entry.used)) }))
      close(true)
    } catch (e) {
      setError(e as Error)
      void need.refetch()
    } finally {
      setBusy(false)
    }
    await Promise.all(['quota', 'images', 'image'].map((word) => queries.invalidateQueries({ queryKey: [word] })))
  }

  return (
    <Modal
      open
      title={name ? t('quota.licenseOne', { name }) : t('quota.licenseMany', { count: n?.rows ?? 0, n: number(n?.rows) })}
      width={460}
      onCancel={() => close(false)}
      onOk={() => void license()}
      okText={t('common.ok')}
      okButtonProps={{ disabled: !n || !n.enough || n.needed === 0 }}
      confirmLoading={busy}
    >
      {need.error ? <ErrorNote error={need.error} /> : n ? <Cost need={n} /> : <p className="muted">{t('common.loading')}</p>}
      {error && <ErrorNote error={error} />}
    </Modal>
  )
}

function Cost({ need: n }: { need: QuotaNeed }) {
  return (
    <>
      <dl className="facts" style={{ marginBottom: 10 }}>
        <dt>{t('quota.contents')}</dt><dd className="num">{number(n.images)}</dd>
        {n.licensed > 0 && <><dt>{t('quota.licensedAlready')}</dt><dd className="num">{number(n.licensed)}</dd></>}
        <dt>{t('quota.cost')}</dt><dd className="num"><strong>{number(n.needed)}</strong></dd>
        <dt>{t('quota.left')}</dt><dd className="num">{number(n.left)}{n.enough && n.needed > 0 && <span className="muted"> → {number(n.left - n.needed)}</span>}</dd>
      </dl>
      {n.needed === 0 ? <p className="muted">{n.unread > 0 && n.images === 0 ? t('quota.unreadOnly') : t('quota.nothingToLicense')}</p> : n.enough ? <p className="muted">{t('quota.costHelp')}</p> : (
        <div className="note bad" role="alert"><p><strong>{t('quota.notEnough', { needed: number(n.needed), left: number(n.left) })}</strong> {t('quota.notEnoughHelp')} <a href="/quota">{t('nav.quota')}</a></p></div>
      )}
      {n.unread > 0 && n.images > 0 && <p className="muted">{t('quota.unread', { count: n.unread, n: number(n.unread) })}</p>}
    </>
  )
}
