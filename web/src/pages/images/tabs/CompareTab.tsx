import { useQuery } from '@tanstack/react-query'
import Select from 'antd/es/select'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { listLocalImages } from '../../../api/hosts'
import { compareContent, listImages, type AssetRow, type FindingRow } from '../../../api/images'
import { t, tx } from '../../../i18n'
import { short, timestamp } from '../../../lib/format'
import { Panel, SeveritySplit, SeverityTag } from '../../../ui/bits'
import { Empty } from '../../../ui/Empty'
import { ErrorNote } from '../../../ui/ErrorNote'
import { detailOf } from '../columns'
import type { TabProps } from '../ImageDrawer'
import { SmallTable } from '../../../ui/SmallTable'

/** CompareTab is what is new and what is fixed: since the scan before, or since another tag of the repository. */
export default function CompareTab({ row }: TabProps) {
  const [params, setParams] = useSearchParams()
  const [text, setText] = useState('')
  const other = params.get('in.with') ?? ''
  const query = { repository: [String(row.repositoryID)], limit: 50, sort: '-created', ...(text && { search: text }) }
  const tags = useQuery({ queryKey: ['images', 'tags', query], queryFn: ({ signal }) => (row.source === 'local' ? listLocalImages : listImages)(query, signal) })
  const asked = useQuery({ queryKey: ['content', row.imageID, 'compare', other], queryFn: () => compareContent(row.imageID ?? '', other), retry: false })
  const c = asked.data
  const options = (tags.data?.items ?? []).filter((r) => r.imageID && r.imageID !== row.imageID && r.scannedAt).map((r) => ({ value: r.imageID ?? '', label: `${r.tag || short(r.digest || r.imageID || '')} · ${timestamp(r.created)}` }))

  return (
    <div className="stack">
      <div className="row wrap">
        <span className="muted">{t('compare.with')}</span>
        <Select
          style={{ minWidth: 280 }}
          aria-label={t('compare.with')}
          value={other}
          showSearch={{ onSearch: setText, filterOption: false }}
          onChange={(value) => setParams((before) => { const next = new URLSearchParams(before); if (value) next.set('in.with', value); else next.delete('in.with'); return next })}
          options={[{ value: '', label: t('compare.scanBefore') }, ...options]}
        />
      </div>
      {asked.error && (other ? <ErrorNote error={asked.error} /> : <Empty title={t('compare.none')} help={t('compare.noneHelp')} />)}
      {c && (
        <>
          <p className="muted" style={{ margin: 0 }}>{t('compare.moments', { before: nameOf(c.before), after: nameOf(c.after) })}</p>
          <Changed title={t('compare.new')} rows={c.new ?? []} counts={c.counts.new} empty={t('compare.nothingNew')} row={row} />
          <Changed title={t('compare.fixed')} rows={c.fixed ?? []} counts={c.counts.fixed} empty={t('compare.nothingFixed')} row={row} />
          <p className="row muted">{t('compare.unchanged')} <SeveritySplit counts={c.counts.unchanged} /></p>
        </>
      )}
    </div>
  )
}

function nameOf(m: { imageID: string; image?: { repository: string; tag: string }; at: string }): string {
  return `${m.image ? `${m.image.repository}:${m.image.tag}` : short(m.imageID)} (${timestamp(m.at)})`
}

function Changed({ title, rows, counts, empty, row }: { title: string; rows: FindingRow[]; counts: Parameters<typeof SeveritySplit>[0]['counts']; empty: string; row: AssetRow }) {
  return (
    <Panel title={title} more={<SeveritySplit counts={counts} />} flush>
      <SmallTable<FindingRow>
        rowKey={(f) => `${f.id} ${f.package.name} ${f.package.version} ${f.package.path ?? ''}`}
        rows={rows}
        empty={empty}
        columns={[
          { title: t('finding.vulnerability'), width: 170, render: (f) => <a href={detailOf(row, 'vulnerabilities', `v=${encodeURIComponent(f.id)}`)}>{f.id}</a> },
          { title: t('finding.severity'), width: 100, render: (f) => <SeverityTag severity={f.severity} /> },
          { title: t('finding.package'), width: 200, render: (f) => f.package.name },
          { title: t('finding.installed'), width: 150, render: (f) => <span className="mono">{f.package.version}</span> },
          { title: t('finding.fixed'), render: (f) => f.fixedVersion || tx('fixState', f.fixState) },
        ]}
      />
    </Panel>
  )
}
