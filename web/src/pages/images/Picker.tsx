// Two panes: on the left the images that there are, on the right those that are
// chosen. Click, Shift click for a range, or Enter; a counter says how many.
import CloseOutlined from '@ant-design/icons/CloseOutlined'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Input from 'antd/es/input'
import { useDeferredValue, useRef, useState } from 'react'
import { listLocalImages } from '../../api/hosts'
import { listImages, type AssetRow } from '../../api/images'
import { t } from '../../i18n'
import { number } from '../../lib/format'
import { nameOf } from './columns'

const shown = 100 // rows of the left pane; narrower searches show others

export type Picked = Pick<AssetRow, 'id' | 'repository' | 'tag' | 'registryName' | 'digest' | 'imageID'>

export function Picker({ picked, pick, local }: { picked: Map<number, Picked>; pick(next: Map<number, Picked>): void; local?: boolean }) {
  const [text, setText] = useState('')
  const search = useDeferredValue(text.trim())
  const last = useRef(-1) // the row that a range begins at
  const query = { limit: shown, sort: 'name', ...(search && { search }) }
  const images = useQuery({ queryKey: [local ? 'local-images' : 'images', 'picker', query], queryFn: ({ signal }) => (local ? listLocalImages : listImages)({ ...query, ...(local && { scannable: true }), total: true }, signal), placeholderData: keepPreviousData })
  const rows = images.data?.items ?? []

  function toggle(i: number, range: boolean) {
    const next = new Map(picked)
    const on = !picked.has(rows[i].id)
    const from = range && last.current >= 0 ? Math.min(last.current, i) : i
    const to = range && last.current >= 0 ? Math.max(last.current, i) : i
    for (let k = from; k <= to && k < rows.length; k++) {
      if (on) next.set(rows[k].id, rows[k])
      else next.delete(rows[k].id)
    }
    last.current = i
    pick(next)
  }

  const all = rows.length > 0 && rows.every((r) => picked.has(r.id))
  return (
    <div className="picker">
      <section aria-label={t('picker.available')}>
        <header>
          <Checkbox
            checked={all}
            indeterminate={!all && rows.some((r) => picked.has(r.id))}
            onChange={() => {
              const next = new Map(picked)
              for (const r of rows) {
                if (all) next.delete(r.id)
                else next.set(r.id, r)
              }
              pick(next)
            }}
          >
            {t('picker.available')}
          </Checkbox>
          <span className="muted num">{t('list.total', { count: images.data?.total ?? 0, n: number(images.data?.total ?? 0) })}</span>
        </header>
        <Input size="small" allowClear value={text} onChange={(e) => { setText(e.target.value); last.current = -1 }} placeholder={local ? t('local.search') : t('images.search')} aria-label={local ? t('local.search') : t('images.search')} />
        <ul>
          {rows.map((r, i) => (
            <li key={r.id}>
              <Checkbox checked={picked.has(r.id)} onChange={(e) => toggle(i, (e.nativeEvent as MouseEvent).shiftKey)}>
                {nameOf(r)} <span className="muted">{r.registryName}</span>
              </Checkbox>
            </li>
          ))}
        </ul>
        {(images.data?.total ?? 0) > shown && <p className="muted">{t('picker.narrow', { n: shown })}</p>}
      </section>
      <section aria-label={t('picker.picked')}>
        <header>
          <strong aria-live="polite">{t('picker.count', { count: picked.size, n: number(picked.size) })}</strong>
          <Button type="link" size="small" disabled={picked.size === 0} onClick={() => pick(new Map())}>{t('list.clearOne')}</Button>
        </header>
        <ul>
          {[...picked.values()].map((r) => (
            <li key={r.id} className="row">
              <span className="grow ellipsis" title={nameOf(r)}>{nameOf(r)} <span className="muted">{r.registryName}</span></span>
              <Button type="text" size="small" icon={<CloseOutlined aria-hidden />} aria-label={t('picker.remove', { name: nameOf(r) })} onClick={() => { const next = new Map(picked); next.delete(r.id); pick(next) }} />
            </li>
          ))}
        </ul>
        <p className="muted">{t('picker.shift')}</p>
      </section>
    </div>
  )
}
