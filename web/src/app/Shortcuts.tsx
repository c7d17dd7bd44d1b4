import Modal from 'antd/es/modal'
import { t, type Key } from '../i18n'
import { places } from './navigation'
import { useSession } from './session'

const lines: [string, Key][] = [
  ['Ctrl K', 'shell.jump' satisfies Key],
  ['/', 'keys.search' satisfies Key],
  ['j  k', 'keys.move' satisfies Key],
  ['Enter', 'keys.open' satisfies Key],
  ['x', 'keys.select' satisfies Key],
  ['Shift', 'keys.range' satisfies Key],
  ['n  p', 'keys.page' satisfies Key],
  ['[  ]', 'keys.next' satisfies Key],
  ['Esc', 'keys.close' satisfies Key],
  ['?', 'keys.title' satisfies Key],
]

export default function Shortcuts({ close }: { close(): void }) {
  const { may } = useSession()
  return (
    <Modal open title={t('keys.title')} footer={null} onCancel={close} width={440}>
      <dl className="facts">
        {lines.map(([keys, label]) => (
          <div key={keys} style={{ display: 'contents' }}>
            <dt><kbd>{keys}</kbd></dt>
            <dd>{t(label)}</dd>
          </div>
        ))}
        {places.filter((p) => may(p.right)).map((p) => (
          <div key={p.path} style={{ display: 'contents' }}>
            <dt><kbd>g {p.key}</kbd></dt>
            <dd>{t(p.label)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
