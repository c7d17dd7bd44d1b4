// A list as a file: which rows, in which format, with which columns; and how many
// rows that would be, before it begins.
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Input from 'antd/es/input'
import Modal from 'antd/es/modal'
import Radio from 'antd/es/radio'
import { useDeferredValue, useState } from 'react'
import { createExport, listExportKinds, previewExport, type ExportInput, type ExportKind, type ExportKinds, type ExportNeed, type Format } from '../api/exports'
import { currentLanguage, say, t, tx } from '../i18n'
import { number } from '../lib/format'
import { ErrorNote } from '../ui/ErrorNote'
import { ColumnList, type Listable } from './ColumnList'
import { canExclude, columnsFor, hasTicks, rowsOf, sortFor, type Exportable, type Exporting, type Listed } from './exporting'
import { countOf } from './selection'

interface Props {
  exporting: Exporting
  list: Listed
  /** Length of the list, if it is known. */
  total?: number
  close(): void
}

export default function ExportDialog(props: Props) {
  const kinds = useQuery({ queryKey: ['export-kinds'], queryFn: listExportKinds, staleTime: Infinity })
  if (kinds.data) return <Choices {...props} known={kinds.data} />
  return (
    <Modal open title={t('export.title')} footer={null} onCancel={props.close} width={720}>
      {kinds.error ? <ErrorNote error={kinds.error} retry={() => void kinds.refetch()} /> : <p className="muted">{t('common.loading')}</p>}
    </Modal>
  )
}

function Choices({ exporting, list, total, close, known }: Props & { known: ExportKinds }) {
  const queries = useQueryClient()
  const { message } = AntApp.useApp()
  const offered = [exporting.kind, ...(exporting.also ?? [])]
  const count = countOf(list.selection, total)
  const [kind, setKind] = useState<Exportable>(exporting.kind)
  const able = canExclude(exporting.kind, list.selection)
  const [ticked, setTicked] = useState(count !== 0 && able)
  const [format, setFormat] = useState<Format>('xlsx')
  const [bom, setBom] = useState(false)
  const [name, setName] = useState('')
  // Each kind has columns of its own, chosen for as long as the dialog is open.
  const [arranged, setArranged] = useState<Partial<Record<Exportable, Listable[]>>>({})
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()

  const described = known.kinds.find((k) => k.id === kind)
  const own = kind === exporting.kind
  const columns = arranged[kind] ?? (described ? columnsOf(described, own ? list.columns : []) : [])
  const chosen = columns.filter((c) => c.shown).map((c) => c.key)
  // What else is wanted of a list of images is in all those of the list.
  const rows = own || !hasTicks(exporting.kind) ? rowsOf({ ...exporting, kind }, list, ticked) : { images: rowsOf(exporting, list, ticked).images }
  const input: ExportInput = {
    kind, format, language: currentLanguage(), columns: chosen, ...rows,
    ...(own && described && { sort: sortFor(described, list.sort) }),
    ...(name.trim() && { name: name.trim() }), ...(format === 'csv' && bom && { bom }),
  }
  // Neither columns, order nor name change how many rows there are. While that is being
  // asked the last answer stands: the service refuses what would be too much in any case.
  const asked = useDeferredValue(JSON.stringify({ kind, format, ...rows }))
  const need = useQuery({ queryKey: ['export-preview', asked], queryFn: ({ signal }) => previewExport(JSON.parse(asked) as ExportInput, signal), staleTime: 5000, retry: false, placeholderData: keepPreviousData })

  async function begin() {
    setBusy(true)
    setError(undefined)
    try {
      const created = await createExport(input)
      void message.success(<span>{t('export.begun', { name: created.fileName })} <a href="/exports">{t('nav.exports')}</a></span>, 4)
      void queries.invalidateQueries({ queryKey: ['exports'] })
      close()
    } catch (e) {
      setError(e as Error)
    } finally {
      setBusy(false)
    }
  }

  const all = (shown: boolean) => setArranged({ ...arranged, [kind]: columns.map((c) => ({ ...c, shown })) })
  return (
    <Modal
      open
      title={t('export.title')}
      width={720}
      style={{ top: 40 }}
      onCancel={close}
      onOk={() => void begin()}
      okText={t('export.ok')}
      okButtonProps={{ disabled: chosen.length === 0 || !need.data?.enough || need.data.rows === 0 }}
      confirmLoading={busy}
      mask={{ closable: false }}
    >
      <div className="settings">
        {offered.length > 1 && (
          <>
            <h3>{t('export.what')}</h3>
            <Radio.Group vertical aria-label={t('export.what')} value={kind} onChange={(e) => setKind(e.target.value as Exportable)} options={offered.map((value, i) => ({ value, label: i === 0 ? sayKind(known, value) : t('export.also', { what: sayKind(known, value) }) }))} />
          </>
        )}
        {count !== 0 && (
          <>
            <h3>{t('export.rows')}</h3>
            <div>
              <Radio.Group
                aria-label={t('export.rows')}
                value={ticked}
                onChange={(e) => setTicked(e.target.value as boolean)}
                options={[{ value: true, disabled: !able, label: count === undefined ? t('export.ticked') : t('list.selected', { count, n: number(count) }) }, { value: false, label: total === undefined ? t('export.all') : t('export.allOf', { count: total, n: number(total) }) }]}
              />
              {!able && <p className="muted">{t('export.noExcept')}</p>}
            </div>
          </>
        )}
        <h3>{t('export.format')}</h3>
        <div>
          <Radio.Group aria-label={t('export.format')} value={format} onChange={(e) => setFormat(e.target.value as Format)} options={known.formats.map((f) => ({ value: f.id, label: f.id.toUpperCase() }))} />
          <p className="muted">{tx('exportFormat', format)}</p>
          {format === 'csv' && <Checkbox checked={bom} onChange={(e) => setBom(e.target.checked)}>{t('export.bom')}</Checkbox>}
        </div>
        <h3>{t('export.columns')}</h3>
        <div className="short-list">
          <ColumnList columns={columns} change={(next) => setArranged({ ...arranged, [kind]: next })} />
          <div className="row" style={{ marginTop: 4 }}>
            <span className="muted" aria-live="polite">{t('export.columnCount', { n: number(chosen.length), of: number(columns.length) })}</span>
            <Button type="link" size="small" onClick={() => all(true)}>{t('export.allColumns')}</Button>
            <Button type="link" size="small" onClick={() => setArranged({ ...arranged, [kind]: undefined })}>{own && list.columns.length > 0 ? t('export.asListed') : t('columns.reset')}</Button>
          </div>
        </div>
        <h3>{t('export.name')}</h3>
        <Input value={name} maxLength={100} onChange={(e) => setName(e.target.value)} placeholder={t('export.nameDefault')} aria-label={t('export.name')} />
        <h3>{t('export.preview')}</h3>
        <div aria-live="polite" style={{ minHeight: 44 }}>
          {chosen.length === 0 && <p className="bad">{t('export.noColumn')}</p>}
          {need.error ? <ErrorNote error={need.error} /> : need.data ? <Need need={need.data} format={format} /> : <p className="muted">{t('common.loading')}</p>}
        </div>
      </div>
      {error && <ErrorNote error={error} />}
    </Modal>
  )
}

const sayKind = (known: ExportKinds, id: string) => say(known.kinds.find((k) => k.id === id)?.label) || id

/** columnsOf puts the list's columns first, in its order; those that it does not show can be added. */
function columnsOf(kind: ExportKind, shown: string[]): Listable[] {
  const first = columnsFor(kind, shown)
  const title = (id: string) => say(kind.columns.find((c) => c.id === id)?.title) || id
  return [...first.map((key) => ({ key, title: title(key), shown: true })), ...kind.columns.filter((c) => !first.includes(c.id)).map((c) => ({ key: c.id, title: title(c.id), shown: false }))]
}

function Need({ need, format }: { need: ExportNeed; format: Format }) {
  if (need.rows === 0) return <p className="bad">{t('export.nothing')}</p>
  if (!need.enough) {
    return <div className="note bad" role="alert"><p><strong>{t('export.tooMany', { n: number(need.rows), limit: number(need.limit), format: format.toUpperCase() })}</strong> {t('export.tooManyHelp')}</p></div>
  }
  return (
    <p style={{ margin: 0 }}>
      <strong>{t('export.count', { count: need.rows, n: number(need.rows) })}</strong>{' '}
      <span className="muted">{t('export.limit', { limit: number(need.limit), format: format.toUpperCase() })}{need.sheets > 1 && ` ${t('export.sheets', { n: number(need.sheets) })}`}</span>
    </p>
  )
}
