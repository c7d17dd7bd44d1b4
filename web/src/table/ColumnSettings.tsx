import ArrowDownOutlined from '@ant-design/icons/ArrowDownOutlined'
import ArrowUpOutlined from '@ant-design/icons/ArrowUpOutlined'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Modal from 'antd/es/modal'
import Radio from 'antd/es/radio'
import { useState } from 'react'
import { t } from '../i18n'
import type { Ui } from '../app/preferences'
import { useUi } from '../app/preferences'
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
  const [rows, setRows] = useState(() => arranged(columns, choice))

  function move(from: number, to: number) {
    setRows((before) => {
      const next = [...before]
      next.splice(to, 0, ...next.splice(from, 1))
      return next
    })
  }

  return (
    <Modal
      open
      title={t('columns.title')}
      width={440}
      onCancel={close}
      onOk={() => {
        save({ order: rows.map((r) => r.column.key), hidden: rows.filter((r) => !r.shown).map((r) => r.column.key) })
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
      <ol className="column-list">
        {rows.map(({ column, shown }, i) => (
          <li
            key={column.key}
            draggable={!column.locked}
            onDragStart={(e) => e.dataTransfer.setData('text/plain', String(i))}
            onDragOver={(e) => e.preventDefault()}
            onDrop={(e) => {
              e.preventDefault()
              if (!column.locked) move(Number(e.dataTransfer.getData('text/plain')), i)
            }}
          >
            <Checkbox checked={shown} disabled={column.locked} onChange={(e) => setRows(rows.map((r, j) => (j === i ? { ...r, shown: e.target.checked } : r)))}>
              {column.title}
            </Checkbox>
            {!column.locked && (
              <span className="row" style={{ marginLeft: 'auto', gap: 0 }}>
                <Button type="text" size="small" icon={<ArrowUpOutlined aria-hidden />} disabled={i === 0 || rows[i - 1].column.locked} aria-label={t('columns.up', { column: column.title })} onClick={() => move(i, i - 1)} />
                <Button type="text" size="small" icon={<ArrowDownOutlined aria-hidden />} disabled={i === rows.length - 1} aria-label={t('columns.down', { column: column.title })} onClick={() => move(i, i + 1)} />
              </span>
            )}
          </li>
        ))}
      </ol>
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
