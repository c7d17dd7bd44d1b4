import { useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { listHosts, removeHost, type HostRow } from '../../api/hosts'
import { useSession } from '../../app/session'
import { t } from '../../i18n'
import { AssetTable } from '../../table/AssetTable'
import type { Column } from '../../table/columns'
import { PageHead } from '../../ui/bits'
import { errorLine } from '../../ui/ErrorNote'
import { DataUpdate, useDataUpdate } from '../local/DataUpdate'
import { hostColumns, useHostFilters } from './columns'

/** The servers that agents tell about. */
export function Component() {
  const { may } = useSession()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { modal, message } = AntApp.useApp()
  const filters = useHostFilters()
  const { ask } = useDataUpdate()

  function remove(h: HostRow) {
    modal.confirm({
      title: t('host.removeTitle', { name: h.name }),
      content: t('host.removeHelp'),
      okText: t('host.remove'),
      okButtonProps: { danger: true },
      async onOk() {
        try {
          await removeHost(h.id)
        } catch (e) {
          void message.error(errorLine(e as Error), 6)
        }
        await Promise.all(['hosts', 'local-images', 'containers', 'overview'].map((word) => queries.invalidateQueries({ queryKey: [word] })))
      },
    })
  }

  const columns = useMemo<Column<HostRow>[]>(() => [
    ...hostColumns(),
    {
      key: 'actions', title: t('list.actions'), width: 88, end: true,
      render: (h) => (
        <span className="row nowrap">
          {may('scan') && h.online && <button type="button" className="plain link" onClick={() => ask(h)}>{t('update.one')}</button>}
          {may('administer') && h.agentID === 0 && <button type="button" className="plain link" onClick={() => remove(h)}>{t('host.remove')}</button>}
        </span>
      ),
    },
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the actions are made anew on each render, and do the same
  ], [])

  return (
    <>
      <PageHead title={t('nav.hosts')}>
        <DataUpdate />
        <Button type="primary" onClick={() => void navigate('/agents?dialog=enrol')}>{t('agent.enrol')}</Button>
      </PageHead>
      <AssetTable<HostRow>
        name="hosts"
        columns={columns}
        filters={filters}
        placeholder={t('host.search')}
        exporting={{ kind: 'hosts' }}
        load={listHosts}
        rowKey={(h) => h.id}
        empty={{ title: t('host.none'), help: t('host.noneHelp'), action: <Button type="primary" onClick={() => void navigate('/agents?dialog=enrol')}>{t('agent.enrol')}</Button> }}
      />
    </>
  )
}
