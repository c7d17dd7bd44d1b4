// How an agent gets to a server: a token is made, a command copied, and the agent
// is seen to arrive.
import CheckCircleFilled from '@ant-design/icons/CheckCircleFilled'
import CopyOutlined from '@ant-design/icons/CopyOutlined'
import LoadingOutlined from '@ant-design/icons/LoadingOutlined'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import Alert from 'antd/es/alert'
import Button from 'antd/es/button'
import Input from 'antd/es/input'
import InputNumber from 'antd/es/input-number'
import Modal from 'antd/es/modal'
import Radio from 'antd/es/radio'
import Tabs from 'antd/es/tabs'
import { useState } from 'react'
import { createToken, listAgents, type NewToken } from '../../api/agents'
import { say, t, tx } from '../../i18n'
import { number, timestamp } from '../../lib/format'
import { ErrorNote } from '../../ui/ErrorNote'

export default function Enrol({ close }: { close(): void }) {
  const queries = useQueryClient()
  const [kind, setKind] = useState<'host' | 'site'>('host')
  const [site, setSite] = useState('')
  const [project, setProject] = useState('')
  const [note, setNote] = useState('')
  const [uses, setUses] = useState(1)
  const [hours, setHours] = useState(24)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const [token, setToken] = useState<NewToken>()

  async function make() {
    setBusy(true)
    setError(undefined)
    try {
      setToken(await createToken({ kind, ...(kind === 'site' ? { site: site.trim() } : { project: project.trim() }), note: note.trim(), uses, expiresHours: hours }))
      await queries.invalidateQueries({ queryKey: ['agent-tokens'] })
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }

  if (token) {
    return (
      <Modal open title={t('agent.enrol')} width={760} style={{ top: 40 }} onCancel={close} footer={<Button type="primary" onClick={close}>{t('common.close')}</Button>} mask={{ closable: false }}>
        <Commands token={token} />
        <Arrivals token={token} />
      </Modal>
    )
  }
  return (
    <Modal open title={t('agent.enrol')} width={640} style={{ top: 40 }} onCancel={close} onOk={() => void make()} okText={t('agent.make')} okButtonProps={{ disabled: kind === 'site' && site.trim() === '' }} confirmLoading={busy} mask={{ closable: false }}>
      <div className="settings">
        <h3>{t('agent.kind')}</h3>
        <div>
          <Radio.Group aria-label={t('agent.kind')} value={kind} onChange={(e) => setKind(e.target.value as 'host' | 'site')} options={(['host', 'site'] as const).map((value) => ({ value, label: tx('agentKind', value) }))} />
          <p className="muted">{kind === 'host' ? t('agent.hostHelp') : t('agent.siteHelp')}</p>
        </div>
        {kind === 'site' ? (
          <>
            <h3>{t('agent.site')}</h3>
            <div><Input value={site} maxLength={64} onChange={(e) => setSite(e.target.value)} aria-label={t('agent.site')} style={{ maxWidth: 320 }} /></div>
          </>
        ) : (
          <>
            <h3>{t('host.project')}</h3>
            <div><Input value={project} maxLength={128} onChange={(e) => setProject(e.target.value)} aria-label={t('host.project')} style={{ maxWidth: 320 }} /><p className="muted">{t('agent.projectHelp')}</p></div>
          </>
        )}
        <h3>{t('agent.note')}</h3>
        <div><Input value={note} maxLength={200} onChange={(e) => setNote(e.target.value)} aria-label={t('agent.note')} style={{ maxWidth: 320 }} /></div>
        <h3>{t('agent.uses')}</h3>
        <div className="row wrap" style={{ gap: 16 }}>
          <InputNumber min={1} max={10000} precision={0} value={uses} onChange={(n) => setUses(n ?? 1)} aria-label={t('agent.uses')} />
          <label className="row">{t('agent.validFor')}<InputNumber min={1} max={8760} precision={0} value={hours} onChange={(n) => setHours(n ?? 24)} />{t('agent.hours')}</label>
        </div>
      </div>
      {error && <ErrorNote error={error} />}
    </Modal>
  )
}

function Commands({ token }: { token: NewToken }) {
  return (
    <>
      <Alert type="warning" showIcon title={t('agent.once')} description={t('agent.onceHelp', { at: timestamp(token.expires), count: token.uses, n: number(token.uses) })} />
      <Tabs items={(token.commands ?? []).map((c) => ({
        key: c.kind,
        label: tx('agentCommand', c.kind),
        children: (
          <div className="stack" style={{ gap: 8 }}>
            <span className="row wrap"><span className="muted grow">{say(c.note)}</span><Copy text={c.text} /></span>
            <pre className="code" tabIndex={0} aria-label={tx('agentCommand', c.kind)}>{c.text}</pre>
          </div>
        ),
      }))} />
    </>
  )
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  return <Button icon={<CopyOutlined aria-hidden />} onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}>{copied ? t('agent.copied') : t('agent.copy')}</Button>
}

/** Arrivals are the agents that enrolled with the token, as they come. */
function Arrivals({ token }: { token: NewToken }) {
  const agents = useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => listAgents(signal), refetchInterval: 2000 })
  const here = (agents.data ?? []).filter((a) => a.tokenID === token.id)
  return (
    <div className="note info" aria-live="polite" style={{ marginTop: 12 }}>
      {here.length === 0 ? <p><LoadingOutlined aria-hidden /> {t('agent.waiting')}</p> : (
        <ul style={{ margin: 0, paddingLeft: 0, listStyle: 'none' }}>
          {here.map((a) => <li key={a.id}><CheckCircleFilled aria-hidden style={{ color: 'var(--ok)' }} /> {t('agent.arrived', { name: a.name })}</li>)}
        </ul>
      )}
    </div>
  )
}
