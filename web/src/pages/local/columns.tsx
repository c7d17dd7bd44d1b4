// The columns of lists of images on servers: those of other images, but for where
// they are.
import type { AssetRow } from '../../api/images'
import { t, tx } from '../../i18n'
import { listed, short } from '../../lib/format'
import type { Column } from '../../table/columns'
import { Copyable } from '../../ui/bits'
import { Badges, Count, detailOf, imageColumns, withSeverity } from '../images/columns'

interface Options {
  search?: string
  licensed?: boolean
  /** Say of each row why it has a high priority. */
  priority?: boolean
}

export function localColumns({ search = '', licensed, priority }: Options = {}): Column<AssetRow>[] {
  const rest = withSeverity(search)
  const shared = imageColumns({ search, licensed })
  const same = (...keys: string[]) => keys.flatMap((key) => shared.filter((c) => c.key === key))
  return [
    {
      key: 'name', title: t('images.name'), width: 222, sort: 'name', locked: true,
      render: (r) => (
        <>
          <span className="name-cell">
            <a href={detailOf(r, '', rest)} title={r.repository}>{r.repository}</a>
            <Badges row={r} />
          </span>
          {priority && <span className="muted small" style={{ display: 'block', whiteSpace: 'normal' }}>{listed((r.highPriority ?? []).map((x) => tx('reason', x)))}</span>}
        </>
      ),
    },
    { key: 'tag', title: t('images.tag'), width: 104, sort: 'tag', render: (r) => <span className="mono" title={r.tag}>{r.tag || <span className="muted">{'<none>'}</span>}</span> },
    ...same('status').map((c) => ({ ...c, width: 142 })),
    ...same('licensed', 'risks'),
    { key: 'hosts', title: t('nav.hosts'), width: 82, sort: 'hosts', desc: true, align: 'right', render: (r) => <Count n={r.hosts} to={detailOf(r, 'hosts', rest)} /> },
    { key: 'containers', title: t('nav.containers'), width: 100, sort: 'containers', desc: true, align: 'right', render: (r) => <Count n={r.containers} to={detailOf(r, 'containers', rest)} /> },
    { key: 'type', title: t('local.type'), width: 104, render: (r) => (r.inRegistries > 0 && r.imageID ? <a className="tag outline" href={`/images?imageID=${r.imageID}`} title={t('local.inRegistryHelp')}>{t('local.inRegistry')}</a> : <span className="muted">{t('local.onlyHere')}</span>) },
    ...same('packages').map((c) => ({ ...c, optional: false })),
    ...same('scanned'),
    ...same('imageID', 'vulnerabilities', 'malware', 'secrets', 'os', 'platform', 'size', 'created'),
    { key: 'digest', title: t('images.digest'), width: 130, optional: true, render: (r) => (r.digest ? <Copyable text={r.digest} shown={short(r.digest)} /> : '–') },
    ...same('recommended', 'priorityReason'),
  ]
}
