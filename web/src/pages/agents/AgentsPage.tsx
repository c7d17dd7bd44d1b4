import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import { lazy, Suspense } from 'react'
import { useSearchParams } from 'react-router'
import { listAgents, listTokens, revokeAgent, revokeToken, type Agent, type AgentToken } from '../../api/agents'
import { useSession } from '../../app/session'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { PageHead, Panel, Time } from '../../ui/bits'
import { Empty } from '../../ui/Empty'
import { ErrorNote, errorLine } from '../../ui/ErrorNote'
import { SmallTable } from '../../ui/SmallTable'
import { Online, Problems } from '../hosts/columns'

const Enrol = lazy(() => import('./Enrol'))

/** The agents on servers and in remote networks, and the tokens that they enrol with. */
export function Component() {
  const { may } = useSession()
  const { modal, message } = AntApp.useApp()
  const queries = useQueryClient()
  const [params, setParams] = useSearchParams()
  const admin = may('administer')
  const agents = useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => listAgents(signal), refetchInterval: 15_000 })
  const tokens = useQuery({ queryKey: ['agent-tokens'], queryFn: ({ signal }) => listTokens(signal), enabled: admin })
  const enrol = (on: boolean) => setParams(on ? { dialog: 'enrol' } : {})

  function revoke(title: string, help: string, act: () => Promise<unknown>) {
    modal.confirm({
      title, content: help, okText: t('agent.revoke'), okButtonProps: { danger: true },
      async onOk() {
        try {
          await act()
        } catch (e) {
          void message.error(errorLine(e as Error), 6)
        }
        await Promise.all(['agents', 'agent-tokens', 'hosts'].map((word) => queries.invalidateQueries({ queryKey: [word] })))
      },
    })
  }

  const all = agents.data ?? []
  const online = all.filter((a) => a.online).length
  const current = all.filter((a) => !a.revoked).length
  return (
    <>
      <PageHead title={t('nav.agents')} sub={agents.data && t('agent.sub', { online: number(online), n: number(current) })}>
        {admin && <Button type="primary" onClick={() => enrol(true)}>{t('agent.enrol')}</Button>}
      </PageHead>
      {agents.error && <ErrorNote error={agents.error} retry={() => void agents.refetch()} />}
      <div className="stack">
        {agents.data && (
          <Panel flush>
            {all.length === 0 ? <Empty title={t('agent.none')} help={t('agent.noneHelp')} action={admin && <Button type="primary" onClick={() => enrol(true)}>{t('agent.enrol')}</Button>} /> : (
              <SmallTable<Agent>
                rowKey={(r) => r.id}
                rows={all}
                columns={[
                  { title: t('agent.name'), width: 200, render: (a) => (a.hostID ? <a href={`/hosts?search=${encodeURIComponent(a.name)}`}>{a.name}</a> : a.name || '–') },
                  { title: t('agent.kind'), width: 150, render: (a) => `${tx('agentKind', a.kind)}${a.site ? ` · ${a.site}` : ''}` },
                  { title: t('agent.state'), width: 100, render: (a) => (a.revoked ? <span className="tag outline">{t('agent.revoked')}</span> : <Online online={a.online} />) },
                  { title: t('host.trouble'), width: 130, render: (a) => <Problems all={a.problems ?? []} /> },
                  { title: t('agent.version'), width: 110, render: (a) => <span className="mono">{a.version || '–'}</span> },
                  { title: t('agent.enrolled'), width: 140, render: (a) => <Time value={a.enrolled} /> },
                  { title: t('host.seen'), width: 140, render: (a) => <Time value={a.beat} /> },
                  { title: t('list.actions'), width: 100, end: true, render: (a) => admin && !a.revoked && <button type="button" className="plain link" onClick={() => revoke(t('agent.revokeTitle', { name: a.name }), t('agent.revokeHelp'), () => revokeAgent(a.id))}>{t('agent.revoke')}</button> },
                ]}
              />
            )}
          </Panel>
        )}
        {admin && (tokens.data ?? []).length > 0 && (
          <Panel title={t('agent.tokens')} flush>
            <SmallTable<AgentToken>
              rowKey={(r) => r.id}
              rows={tokens.data ?? []}
              columns={[
                { title: t('agent.note'), width: 200, render: (x) => x.note || <span className="muted">#{x.id}</span> },
                { title: t('agent.kind'), width: 150, render: (x) => `${tx('agentKind', x.kind)}${x.site ? ` · ${x.site}` : ''}` },
                { title: t('host.project'), width: 120, render: (x) => x.project || '–' },
                { title: t('agent.uses'), width: 90, align: 'right', render: (x) => <span className="num">{number(x.used)} / {number(x.uses)}</span> },
                { title: t('agent.expires'), width: 140, render: (x) => <Time value={x.expires} /> },
                { title: t('agent.by'), width: 100, render: (x) => x.by },
                { title: t('agent.state'), width: 110, render: (x) => <TokenState token={x} /> },
                { title: t('list.actions'), width: 100, end: true, render: (x) => usable(x) && <button type="button" className="plain link" onClick={() => revoke(t('agent.revokeToken'), t('agent.revokeTokenHelp'), () => revokeToken(x.id))}>{t('agent.revoke')}</button> },
              ]}
            />
          </Panel>
        )}
      </div>
      <Suspense>{admin && params.get('dialog') === 'enrol' && <Enrol close={() => enrol(false)} />}</Suspense>
    </>
  )
}

const usable = (x: AgentToken) => !x.revoked && x.used < x.uses && Date.parse(x.expires) > Date.now()

function TokenState({ token: x }: { token: AgentToken }) {
  if (x.revoked) return <span className="tag outline">{t('agent.revoked')}</span>
  if (x.used >= x.uses) return <span className="tag outline">{t('agent.usedUp')}</span>
  return usable(x) ? <span className="tag ok">{t('agent.usable')}</span> : <span className="tag outline">{t('agent.expired')}</span>
}
