import Button from 'antd/es/button'
import Modal from 'antd/es/modal'
import Radio from 'antd/es/radio'
import { useState } from 'react'
import { t } from '../i18n'
import type { Ui } from '../app/preferences'
import { useUi } from '../app/preferences'
import { ColumnList } from './ColumnList'
import { arranged, type Choice, type Column } from './columns'

interface Props<R> {
  columns: Column<R>[]
  choice: Choice | null
  save(choice: Choice | null): void
  close(): void
}

/** ColumnSettings is the mission's "custom list management": which columns, in which order. */
export default function ColumnSettings<R>({ columns, choice, save, close }: Props<R>) {
  const { ui, change } = useUi()
  const [rows, setRows] = useState(() => arranged(columns, choice).map(({ column, shown }) => ({ key: column.key, title: column.title, locked: column.locked, shown })))

  return (
    <Modal
      open
      title={t('columns.title')}
      width={440}
      onCancel={close}
      onOk={() => {
        save({ order: rows.map((r) => r.key), hidden: rows.filter((r) => !r.shown).map((r) => r.key) })
        close()
      }}
      okText={t('common.ok')}
      footer={(_, { OkBtn, CancelBtn }) => (
        <div className="row">
          <Button type="link" style={{ marginRight: 'auto', paddingInline: 0 }} onClick={() => { save(null); close() }}>{t('columns.reset')}</Button>
          <CancelBtn /><OkBtn />
        </div>
      )}
    >
      <p className="muted">{t('columns.help')}</p>
      <ColumnList columns={rows} change={setRows} />
      <div className="row" style={{ marginTop: 12 }}>
        <span className="muted">{t('profile.density')}</span>
        <Radio.Group
          size="small"
          value={ui.density}
          onChange={(e) => change({ density: e.target.value as Ui['density'] })}
          options={[{ value: 'compact', label: t('profile.compact') }, { value: 'comfortable', label: t('profile.comfortable') }]}
        />
      </div>
    </Modal>
  )
}
