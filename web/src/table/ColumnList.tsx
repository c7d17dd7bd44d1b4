import ArrowDownOutlined from '@ant-design/icons/ArrowDownOutlined'
import ArrowUpOutlined from '@ant-design/icons/ArrowUpOutlined'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import { t } from '../i18n'

export interface Listable {
  key: string
  title: string
  shown: boolean
  /** Always there, always first. */
  locked?: boolean
}

/** ColumnList is a choice of columns in an order: by dragging, or by its arrows. */
export function ColumnList<C extends Listable>({ columns, change }: { columns: C[]; change(next: C[]): void }) {
  function move(from: number, to: number) {
    const next = [...columns]
    next.splice(to, 0, ...next.splice(from, 1))
    change(next)
  }
  return (
    <ol className="column-list">
      {columns.map((column, i) => (
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
          <Checkbox checked={column.shown} disabled={column.locked} onChange={(e) => change(columns.map((c, j) => (j === i ? { ...c, shown: e.target.checked } : c)))}>
            {column.title}
          </Checkbox>
          {!column.locked && (
            <span className="row" style={{ marginLeft: 'auto', gap: 0 }}>
              <Button type="text" size="small" icon={<ArrowUpOutlined aria-hidden />} disabled={i === 0 || columns[i - 1].locked} aria-label={t('columns.up', { column: column.title })} onClick={() => move(i, i - 1)} />
              <Button type="text" size="small" icon={<ArrowDownOutlined aria-hidden />} disabled={i === columns.length - 1} aria-label={t('columns.down', { column: column.title })} onClick={() => move(i, i + 1)} />
            </span>
          )}
        </li>
      ))}
    </ol>
  )
}
