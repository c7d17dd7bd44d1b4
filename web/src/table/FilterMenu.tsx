import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Input from 'antd/es/input'
import Popover from 'antd/es/popover'
import Radio from 'antd/es/radio'
import DownOutlined from '@ant-design/icons/DownOutlined'
import { useState } from 'react'
import { t } from '../i18n'
import { number } from '../lib/format'
import { parametersOf, type Filter, type ListState } from './state'

/** FilterMenu is one drop-down of a list's filters. Choices count at once; the list follows. */
export function FilterMenu({ filter, state }: { filter: Filter; state: ListState }) {
  const parameters = parametersOf(filter)
  const active = parameters.some((p) => state.get(p))

  if (filter.kind === 'switch') {
    const on = state.get(filter.key) === 'true'
    return (
      <button type="button" className={`filter-button${on ? ' active' : ''}`} aria-pressed={on} onClick={() => state.set({ [filter.key]: on ? undefined : 'true' })}>
        {filter.label}
      </button>
    )
  }
  const n = filter.kind === 'choices' ? state.values(filter.key).length : active ? 1 : 0
  return (
    <Popover trigger="click" placement="bottomLeft" arrow={false} destroyOnHidden content={<FilterBody filter={filter} state={state} />}>
      <button type="button" className={`filter-button${active ? ' active' : ''}`} aria-haspopup="dialog" {...reaching(filter.need)}>
        {filter.label}
        {n > 1 && <span className="num">({n})</span>}
        <DownOutlined aria-hidden style={{ fontSize: 10 }} />
      </button>
    </Popover>
  )
}

/** reaching are the events of a button that somebody is about to press, or presses. */
export const reaching = (need?: () => void) => need && { onPointerEnter: need, onFocus: need, onClick: need }

export function FilterBody({ filter, state }: { filter: Filter; state: ListState }) {
  switch (filter.kind) {
    case 'choices':
    case 'one':
      return <Choices filter={filter} state={state} />
    case 'dates':
      return <Dates filter={filter} state={state} />
    case 'sizes':
      return <Sizes filter={filter} state={state} />
    case 'text':
      return (
        <Input.Search className="filter-menu" aria-label={filter.label} defaultValue={state.get(filter.key)} allowClear onSearch={(text) => state.set({ [filter.key]: text.trim() || undefined })} />
      )
  }
  return null
}

const manyChoices = 9

function Choices({ filter, state }: { filter: Filter; state: ListState }) {
  const [text, setText] = useState('')
  const chosen = state.values(filter.key)
  const options = filter.options ?? []
  const waiting = filter.need !== undefined && filter.options === undefined
  const found = text ? options.filter((o) => o.label.toLowerCase().includes(text.toLowerCase())) : options
  const single = filter.kind === 'one'

  function choose(value: string) {
    if (single) state.set({ [filter.key]: chosen.includes(value) ? undefined : value })
    else state.set({ [filter.key]: chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value] })
  }

  return (
    <div className="filter-menu" role="group" aria-label={filter.label}>
      {options.length > manyChoices && (
        <Input autoFocus allowClear value={text} onChange={(e) => setText(e.target.value)} placeholder={t('list.narrow')} aria-label={t('list.narrow')} style={{ marginBottom: 6 }} />
      )}
      {waiting ? <div className="muted" style={{ padding: 4 }} role="status">{t('common.loading')}…</div>
        : found.length === 0 && <div className="muted" style={{ padding: 4 }}>{t('list.noChoices')}</div>}
      <ul>
        {found.map((o) => (
          <li key={o.value}>
            <label>
              {single ? <Radio checked={chosen.includes(o.value)} onChange={() => choose(o.value)} /> : <Checkbox checked={chosen.includes(o.value)} onChange={() => choose(o.value)} />}
              <span className="ellipsis">{o.label}</span>
              {o.count !== undefined && <span className="n">{number(o.count)}</span>}
            </label>
          </li>
        ))}
      </ul>
      {chosen.length > 0 && (
        <Button type="link" size="small" onClick={() => state.set({ [filter.key]: undefined })}>{t('list.clearOne')}</Button>
      )}
    </div>
  )
}

const spans = [1, 7, 30, 90] // days

/** Dates are days in the browser's time zone; the address has moments. */
function Dates({ filter, state }: { filter: Filter; state: ListState }) {
  const [from, to] = parametersOf(filter)
  const midnight = (text: string, add = 0) => {
    const [y, m, d] = text.split('-').map(Number)
    return new Date(y, m - 1, d + add).toISOString()
  }
  const dayOf = (moment: string, add = 0) => {
    if (!moment) return ''
    const d = new Date(new Date(moment).getTime() + add)
    return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`
  }
  return (
    <div className="filter-menu stack" role="group" aria-label={filter.label} style={{ gap: 8 }}>
      <div className="row wrap">
        {spans.map((days) => (
          <Button key={days} size="small" onClick={() => state.set({ [from]: new Date(Date.now() - days * 86_400_000).toISOString(), [to]: undefined })}>
            {t('list.lastDays', { count: days })}
          </Button>
        ))}
      </div>
      <label className="row"><span style={{ width: 40 }}>{t('list.from')}</span>
        <input className="native" type="date" value={dayOf(state.get(from))} onChange={(e) => state.set({ [from]: e.target.value ? midnight(e.target.value) : undefined })} />
      </label>
      <label className="row"><span style={{ width: 40 }}>{t('list.to')}</span>
        <input className="native" type="date" value={dayOf(state.get(to), -1)} onChange={(e) => state.set({ [to]: e.target.value ? midnight(e.target.value, 1) : undefined })} />
      </label>
      {(state.get(from) || state.get(to)) && (
        <Button type="link" size="small" onClick={() => state.set({ [from]: undefined, [to]: undefined })}>{t('list.clearOne')}</Button>
      )}
    </div>
  )
}

function Sizes({ filter, state }: { filter: Filter; state: ListState }) {
  return (
    <div className="filter-menu stack" role="group" aria-label={filter.label} style={{ gap: 8 }}>
      {parametersOf(filter).map((parameter, i) => (
        <label key={parameter} className="row">
          <span style={{ width: 70 }}>{i === 0 ? t('list.atLeast') : t('list.atMost')}</span>
          <input
            className="native"
            type="number"
            min={0}
            defaultValue={state.get(parameter) ? Number(state.get(parameter)) / 1e6 : ''}
            onBlur={(e) => state.set({ [parameter]: Number(e.target.value) > 0 ? String(Math.round(Number(e.target.value) * 1e6)) : undefined })}
            onKeyDown={(e) => e.key === 'Enter' && e.currentTarget.blur()}
          />
          MB
        </label>
      ))}
    </div>
  )
}
