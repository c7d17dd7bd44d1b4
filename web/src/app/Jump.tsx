// Ctrl K: go to a page, or look for what was typed in one of the lists.
import Input, { type InputRef } from 'antd/es/input'
import Modal from 'antd/es/modal'
import { useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { t } from '../i18n'
import { places } from './navigation'
import { useSession } from './session'

interface Choice {
  key: string
  label: string
  to: string
}

export default function Jump({ close }: { close(): void }) {
  const { may } = useSession()
  const navigate = useNavigate()
  const input = useRef<InputRef>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)

  const wanted = text.trim()
  const lower = wanted.toLowerCase()
  const search = encodeURIComponent(wanted)
  const choices: Choice[] = [
    ...(/^(cve|ghsa)-/i.test(wanted) ? [{ key: 'cve', label: t('jump.open', { what: wanted.toUpperCase() }), to: `/vulnerabilities/${encodeURIComponent(wanted.toUpperCase())}` }] : []),
    ...places
      .filter((p) => may(p.right) && (!lower || t(p.label).toLowerCase().includes(lower)))
      .map((p) => ({ key: p.path, label: t(p.label), to: p.path })),
    ...(wanted
      ? [
          { key: 's.images', label: t('jump.images', { text: wanted }), to: `/images?search=${search}` },
          { key: 's.local', label: t('jump.localImages', { text: wanted }), to: `/local-images?search=${search}` },
          { key: 's.hosts', label: t('jump.hosts', { text: wanted }), to: `/hosts?search=${search}` },
          { key: 's.vulnerabilities', label: t('jump.vulnerabilities', { text: wanted }), to: `/vulnerabilities?search=${search}` },
          { key: 's.components', label: t('jump.components', { text: wanted }), to: `/components?search=${search}` },
          { key: 's.secrets', label: t('jump.secrets', { text: wanted }), to: `/secrets?search=${search}` },
        ]
      : []),
  ]
  const chosen = Math.min(at, choices.length - 1)

  function go(choice: Choice | undefined) {
    if (!choice) return
    close()
    void navigate(choice.to)
  }

  return (
    <Modal open footer={null} closable={false} onCancel={close} width={520} style={{ top: 80 }} title={t('shell.jump')} afterOpenChange={(open) => open && input.current?.focus()}>
      <Input
        ref={input}
        value={text}
        placeholder={t('jump.placeholder')}
        role="combobox"
        aria-expanded
        aria-controls="jump-choices"
        aria-activedescendant={choices[chosen] && `jump-${chosen}`}
        onChange={(e) => { setText(e.target.value); setAt(0) }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') setAt((chosen + 1) % choices.length)
          else if (e.key === 'ArrowUp') setAt((chosen - 1 + choices.length) % choices.length)
          else if (e.key === 'Enter' && !e.nativeEvent.isComposing) go(choices[chosen])
          else return
          e.preventDefault()
        }}
      />
      <ul id="jump-choices" role="listbox" aria-label={t('shell.jump')} className="jump-list">
        {choices.map((choice, i) => (
          <li key={choice.key} id={`jump-${i}`} role="option" aria-selected={i === chosen} onMouseMove={() => setAt(i)} onClick={() => go(choice)}>
            {choice.label}
          </li>
        ))}
      </ul>
    </Modal>
  )
}
