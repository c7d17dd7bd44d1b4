import type { AssetRow } from '../../api/images'
import { t, tx } from '../../i18n'
import { listed, number, short } from '../../lib/format'

/** FirstOf are the first images of those that would be scanned. */
export function FirstOf({ rows, items }: { rows: number; items: AssetRow[] }) {
  return (
    <ul className="preview-list" tabIndex={0} aria-label={t('scan.preview')}>
      {items.map((r) => (
        <li key={r.id}>
          <span className="ellipsis grow">{r.repository}:{r.tag || short(r.digest)}</span>
          <span className="muted">{listed((r.recommended ?? []).map((x) => tx('reason', x))) || r.registryName}</span>
        </li>
      ))}
      {rows > items.length && <li className="muted">{t('scan.previewMore', { n: number(rows - items.length) })}</li>}
    </ul>
  )
}
