import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useNavigate, useParams } from 'react-router'
import { getComponent } from '../../api/findings'
import { listLocalImages } from '../../api/hosts'
import { listImages, type AssetRow } from '../../api/images'
import { t } from '../../i18n'
import { number } from '../../lib/format'
import { AssetTable } from '../../table/AssetTable'
import { Copyable, Fact, PageHead, Panel, SeverityTag } from '../../ui/bits'
import { ErrorNote } from '../../ui/ErrorNote'
import { detailOf, imageColumns } from '../images/columns'
import { useImageFilters } from '../images/filters'
import { localColumns } from '../local/columns'
import { useLocalFilters } from '../local/filters'

/** One package version, and the images that hold it. */
export function Component() {
  const { id = '' } = useParams()
  const navigate = useNavigate()
  const filters = useImageFilters()
  const asked = useQuery({ queryKey: ['component', id], queryFn: () => getComponent(Number(id)) })
  const columns = useMemo(() => imageColumns(), [])
  const fixed = useMemo(() => ({ component: [id] }), [id])
  const c = asked.data
  return (
    <>
      <PageHead title={c ? <span>{c.package.name} <span className="mono muted" style={{ fontSize: 14 }}>{c.package.version}</span></span> : t('nav.components')} sub={<a href="/components">{t('nav.components')}</a>} />
      {asked.error && <ErrorNote error={asked.error} retry={() => void asked.refetch()} />}
      {c && (
        <div className="stack">
          <Panel>
            <dl className="facts">
              <Fact label={t('finding.type')}>{c.package.type}</Fact>
              {c.distro && <Fact label={t('component.distro')}>{c.distro}</Fact>}
              {c.package.source && <Fact label={t('component.source')}>{c.package.source.name} {c.package.source.version}</Fact>}
              {(c.package.licenses ?? []).length > 0 && <Fact label={t('component.licenses')}>{c.package.licenses?.join(', ')}</Fact>}
              {c.package.purl && <Fact label="PURL"><Copyable text={c.package.purl} /></Fact>}
              <Fact label={t('category.vulnerability')}>
                <a href={`/vulnerabilities?package=${encodeURIComponent(c.package.name)}`}>{number(c.vulnerabilities)}</a> {c.worst && <SeverityTag severity={c.worst} />}
              </Fact>
              <Fact label={t('component.versions')}><a href={`/components?search=${encodeURIComponent(c.package.name)}`}>{t('component.allVersions')}</a></Fact>
            </dl>
          </Panel>
          <AssetTable<AssetRow>
            name="component.images"
            of={[id]}
            columns={columns}
            filters={filters}
            fixed={fixed}
            placeholder={t('images.search')}
            exporting={{ kind: 'images', also: ['findings'] }}
            load={listImages}
            rowKey={(r) => r.id}
            open={(r) => void navigate(detailOf(r, 'components', `in.search=${encodeURIComponent(c.package.name)}`))}
            empty={{ title: t('finding.noImages'), help: t('component.noImages') }}
          />
          <OnServers id={id} name={c.package.name} />
        </div>
      )}
    </>
  )
}

/** OnServers are the images on servers that hold it, where there are any. */
function OnServers({ id, name }: { id: string; name: string }) {
  const navigate = useNavigate()
  const filters = useLocalFilters()
  const columns = useMemo(() => localColumns(), [])
  const fixed = useMemo(() => ({ component: [id] }), [id])
  const any = useQuery({ queryKey: ['local-images', 'component', id, 'any'], queryFn: ({ signal }) => listLocalImages({ component: [id], limit: 1 }, signal) })
  if (!any.data || any.data.items.length === 0) return null
  return (
    <div>
      <h2 style={{ fontSize: 14, margin: '4px 0 8px' }}>{t('nav.localImages')}</h2>
      <AssetTable<AssetRow>
        name="local-images"
        of={['component', id]}
        scope="local"
        columns={columns}
        filters={filters}
        fixed={fixed}
        placeholder={t('local.search')}
        exporting={{ kind: 'images', images: { source: 'local' }, also: ['findings'] }}
        load={listLocalImages}
        rowKey={(r) => r.id}
        open={(r) => void navigate(detailOf(r, 'components', `in.search=${encodeURIComponent(name)}`))}
        empty={{ title: t('finding.noImages'), help: t('component.noImages') }}
      />
    </div>
  )
}
