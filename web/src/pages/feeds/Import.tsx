import { useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Input from 'antd/es/input'
import Modal from 'antd/es/modal'
import { useState } from 'react'
import { importFeed } from '../../api/feeds'
import { t } from '../../i18n'
import { bytes } from '../../lib/format'
import { ErrorNote } from '../../ui/ErrorNote'

/** Import takes a feed's file in where there is no network. Its name, with its folder, tells what it is. */
export default function Import({ close }: { close(): void }) {
  const queries = useQueryClient()
  const { message } = AntApp.useApp()
  const [file, setFile] = useState<File>()
  const [name, setName] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()

  async function send() {
    if (!file) return
    setBusy(true)
    setError(undefined)
    try {
      await importFeed(name.trim(), file)
      void message.success(t('feeds.imported'))
      await queries.invalidateQueries({ queryKey: ['feeds'] })
      close()
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal open title={t('feeds.import')} onCancel={close} onOk={() => void send()} okText={t('feeds.import')} okButtonProps={{ disabled: !file || !name.trim() }} confirmLoading={busy}>
      <div className="stack">
        <p className="muted" style={{ margin: 0 }}>{t('feeds.importHelp')}</p>
        <label>
          {t('feeds.file')}
          <input className="native" style={{ width: '100%', height: 'auto', padding: 6 }} type="file" onChange={(e) => { const f = e.target.files?.[0]; setFile(f); if (f) setName(f.name) }} />
        </label>
        {file && <span className="muted">{bytes(file.size)}</span>}
        <label>
          {t('feeds.fileName')}
          <Input value={name} onChange={(e) => setName(e.target.value)} placeholder="osv/Debian/all.zip" className="mono" />
        </label>
        {error && <ErrorNote error={error} />}
      </div>
    </Modal>
  )
}
