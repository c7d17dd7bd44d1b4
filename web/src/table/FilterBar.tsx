import Button from 'antd/es/button'
import Input, { type InputRef } from 'antd/es/input'
import Popover from 'antd/es/popover'
import CloseOutlined from '@ant-design/icons/CloseOutlined'
import FilterOutlined from '@ant-design/icons/FilterOutlined'
import SearchOutlined from '@ant-design/icons/SearchOutlined'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { t } from '../i18n'
import { useKeys } from '../lib/keys'
import { bytes, timestamp } from '../lib/format'
import { FilterBody, FilterMenu, reaching } from './FilterMenu'
import { parametersOf, type Filter, type ListState } from './state'

const typingPause = 300 // ms

interface Props {
  filters: Filter[]
  state: ListState
  placeholder?: string
  searchable: boolean
  /** More buttons at the right end. */
  children?: ReactNode
}

export function FilterBar({ filters, state, placeholder, searchable, children }: Props) {
  const shown = filters.filter((f) => f.kind !== 'hidden')
  const more = shown.filter((f) => f.more)
  return (
    <>
      <div className="list-tools">
        {searchable && <Search state={state} placeholder={placeholder} />}
        {shown.filter((f) => !f.more).map((f) => <FilterMenu key={f.key} filter={f} state={state} />)}
        {more.length > 0 && (
          <Popover trigger="click" placement="bottomLeft" arrow={false} destroyOnHidden content={<More filters={more} state={state} />}>
            <button type="button" className="filter-button" aria-haspopup="dialog" {...reaching(() => more.forEach((f) => f.need?.()))}><FilterOutlined aria-hidden />{t('list.more')}</button>
          </Popover>
        )}
        <div className="row" style={{ marginLeft: 'auto' }}>{children}</div>
      </div>
      <Chips filters={filters} state={state} />
    </>
  )
}

/** Search waits for a pause in the typing. Its text follows the address, as when somebody goes back. */
function Search({ state, placeholder }: { state: ListState; placeholder?: string }) {
  const input = useRef<InputRef>(null)
  const [typed, setTyped] = useState<string>()
  const { search, set } = state
  const latest = useRef(set)
  useEffect(() => {
    latest.current = set
  })

  useEffect(() => {
    if (typed === undefined || typed.trim() === search) return
    const timer = setTimeout(() => {
      latest.current({ search: typed.trim() || undefined }, { replace: true })
    }, typingPause)
    return () => clearTimeout(timer)
  }, [typed, search])

  useKeys({ '/': () => input.current?.focus() })

  return (
    <Input
      ref={input}
      className="search"
      type="search"
      allowClear
      prefix={<SearchOutlined aria-hidden style={{ color: 'var(--text-3)' }} />}
      placeholder={placeholder ?? t('list.search')}
      aria-label={placeholder ?? t('list.search')}
      value={typed ?? search}
      onChange={(e) => setTyped(e.target.value)}
      onBlur={() => typed?.trim() === search && setTyped(undefined)}
      onKeyDown={(e) => e.key === 'Escape' && e.currentTarget.blur()}
    />
  )
}

function More({ filters, state }: { filters: Filter[]; state: ListState }) {
  return (
    <div className="stack" style={{ maxHeight: '60vh', overflowY: 'auto' }}>
      {filters.map((f) => (
        <section key={f.key}>
          <h3 style={{ fontSize: 12, marginBottom: 4 }} className="muted">{f.label}</h3>
          {f.kind === 'switch' ? <FilterMenu filter={f} state={state} /> : <FilterBody filter={f} state={state} />}
        </section>
      ))}
    </div>
  )
}

/** Chips tell each condition in words, and take it back. */
function Chips({ filters, state }: { filters: Filter[]; state: ListState }) {
  const chips: { key: string; text: string; remove(): void }[] = []
  for (const f of filters) {
    if (f.kind === 'choices') {
      const chosen = state.values(f.key)
      for (const value of chosen) {
        const word = f.options?.find((o) => o.value === value)?.label ?? f.say?.(value) ?? value
        chips.push({ key: `${f.key}=${value}`, text: `${f.label}: ${word}`, remove: () => state.set({ [f.key]: chosen.filter((v) => v !== value) }) })
      }
      continue
    }
    parametersOf(f).forEach((parameter, i) => {
      const value = state.get(parameter)
      if (!value) return
      let text = f.label
      if (f.kind === 'dates') text += ` ${i === 0 ? '≥' : '<'} ${timestamp(value)}`
      else if (f.kind === 'sizes') text += ` ${i === 0 ? '≥' : '≤'} ${bytes(Number(value))}`
      else if (f.kind !== 'switch') text += `: ${f.options?.find((o) => o.value === value)?.label ?? f.say?.(value) ?? value}`
      chips.push({ key: parameter, text, remove: () => state.set({ [parameter]: undefined }) })
    })
  }
  if (chips.length === 0) return null
  return (
    <div className="list-chips">
      {chips.map((chip) => (
        <span key={chip.key} className="chip">
          <span className="ellipsis" title={chip.text}>{chip.text}</span>
          <button type="button" aria-label={t('list.removeFilter', { filter: chip.text })} onClick={chip.remove}><CloseOutlined aria-hidden style={{ fontSize: 10 }} /></button>
        </span>
      ))}
      <Button type="link" size="small" onClick={state.clear}>{t('list.clearAll')}</Button>
    </div>
  )
}
