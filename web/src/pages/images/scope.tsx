// Which images to scan: those that are recommended, all, or some that were picked;
// narrowed, and without what is left out. For a scan now and for one by the clock.
import { useQuery } from '@tanstack/react-query'
import Checkbox from 'antd/es/checkbox'
import Radio from 'antd/es/radio'
import Select from 'antd/es/select'
import { listLocalFacets, listLocalImages } from '../../api/hosts'
import { listFacets, listImages, toFilter, type AssetFilter } from '../../api/images'
import type { ScanRequest } from '../../api/scans'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { Picker, type Picked } from './Picker'

type Scope = ScanRequest['scope']

export interface Narrow {
  kind: string[]
  registry: string[]
  namespace: string[]
  newest: boolean
  running: boolean
  never: boolean
  pushedDays?: number
  /** Of images on hosts. */
  project: string[]
  host: string[]
  label: string[]
  engine: string[]
}

export interface Chosen {
  scope: Scope
  picked: Map<number, Picked>
  excluding: boolean
  excluded: Map<number, Picked>
  narrow: Narrow
  /** Conditions of a filter that no field shows: kept as they are. */
  rest?: AssetFilter
}

export const everything: Narrow = { kind: [], registry: [], namespace: [], newest: false, running: false, never: false, project: [], host: [], label: [], engine: [] }
export const recommended: Chosen = { scope: 'recommended', picked: new Map(), excluding: false, excluded: new Map(), narrow: everything }

export const isComplete = ({ scope, picked }: Chosen) => scope !== 'specified' || picked.size > 0

/** filterOf is what was chosen as a filter of the list of images. */
export function filterOf({ scope, picked, excluded, narrow, rest }: Chosen, local?: boolean): AssetFilter {
  const of: AssetFilter = local ? { source: 'local' } : {}
  if (scope === 'specified') return { ...of, ids: [...picked.keys()] }
  return { ...of, ...rest, ...narrowed(narrow), ...(excluded.size > 0 && { exclude: [...excluded.keys()] }) }
}

const some = (values: string[]) => (values.length > 0 ? values : undefined)

/** narrowed is the filter of the narrowing alone. */
export function narrowed(n: Narrow): AssetFilter {
  return toFilter({
    kind: some(n.kind), registry: some(n.registry), namespace: some(n.namespace), newest: n.newest, running: n.running,
    project: some(n.project), host: some(n.host), label: some(n.label), engine: some(n.engine),
    status: n.never ? ['not_scanned'] : undefined, pushedDays: n.pushedDays,
  })
}

/** split takes a filter apart into what the fields show and the rest. */
export function split(filter: AssetFilter | undefined): { narrow: Narrow; rest: AssetFilter; exclude: number[] } {
  const { kinds, registries, namespaces, newest, running, status, exclude, pushedDays, projects, hosts, labels, engines, source, ...others } = filter ?? {}
  void source // the kind of the schedule says it
  const never = status?.length === 1 && status[0] === 'not_scanned'
  return {
    narrow: { kind: kinds ?? [], registry: (registries ?? []).map(String), namespace: namespaces ?? [], newest: newest ?? false, running: running ?? false, never, pushedDays, project: projects ?? [], host: hosts ?? [], label: labels ?? [], engine: engines ?? [] },
    rest: never || !status ? others : { ...others, status },
    exclude: exclude ?? [],
  }
}

const atOnce = 200 // rows of one request

/** pick finds the images of some ids, so that they can be shown by name. One that is gone has its number alone. */
export async function pick(ids: number[], local?: boolean): Promise<Map<number, Picked>> {
  const picked = new Map<number, Picked>(ids.map((id) => [id, { id, repository: `#${id}`, tag: '–', registryName: '', digest: '', imageID: undefined }]))
  for (let from = 0; from < ids.length; from += atOnce) {
    const page = await (local ? listLocalImages : listImages)({ id: ids.slice(from, from + atOnce), limit: atOnce })
    for (const row of page.items) picked.set(row.id, row)
  }
  return picked
}

interface Props {
  value: Chosen
  set(next: Chosen): void
  /** Images on hosts, and not those of registries. */
  local?: boolean
}

/** ScopeFields are lines of a dialog's settings. */
export function ScopeFields({ value, set, local }: Props) {
  const { scope, excluding } = value
  return (
    <>
      <h3>{t('scan.scope')}</h3>
      <div>
        <Radio.Group aria-label={t('scan.scope')} value={scope} onChange={(e) => set({ ...value, scope: e.target.value as Scope })} options={(['recommended', 'all', 'specified'] as const).map((s) => ({ value: s, label: tx('scope', s) }))} />
        <p className="muted">{scope === 'recommended' ? t('scan.recommendedHelp') : scope === 'all' ? (local ? t('scan.allHelpLocal') : t('scan.allHelp')) : t('scan.specifiedHelp')}</p>
        {scope === 'specified' && <Picker local={local} picked={value.picked} pick={(picked) => set({ ...value, picked })} />}
      </div>
      {scope !== 'specified' && (
        <>
          <h3>{t('scan.narrow')}</h3>
          <NarrowFields local={local} narrow={value.narrow} set={(narrow) => set({ ...value, narrow })} />
          <h3>{t('scan.exclude')}</h3>
          <div>
            <Checkbox checked={excluding} onChange={(e) => set({ ...value, excluding: e.target.checked, excluded: e.target.checked ? value.excluded : new Map() })}>{t('scan.excludeSome')}</Checkbox>
            {excluding && <div style={{ marginTop: 8 }}><Picker local={local} picked={value.excluded} pick={(excluded) => set({ ...value, excluded })} /></div>}
          </div>
        </>
      )}
    </>
  )
}

const pushedChoices = [1, 7, 30, 90] // days

/** pushedOptions are the usual numbers of days, and the one that is chosen: the service takes any. */
const pushedOptions = (chosen?: number) =>
  [...new Set([...pushedChoices, ...(chosen ? [chosen] : [])])].sort((a, b) => a - b).map((d) => ({ value: d, label: t('scan.pushedDays', { count: d }) }))

export function NarrowFields({ narrow, set, local }: { narrow: Narrow; set(next: Narrow): void; local?: boolean }) {
  const facets = useQuery({ queryKey: [local ? 'local-images' : 'images', 'facets'], queryFn: ({ signal }) => (local ? listLocalFacets : listFacets)({}, signal), staleTime: 30_000 })
  const options = (name: 'kinds' | 'registries' | 'namespaces' | 'projects' | 'hosts' | 'labels' | 'engines') =>
    (facets.data?.[name] ?? []).map((f) => ({ value: f.value, label: `${name === 'kinds' ? tx('registryKind', f.value) : f.label || f.value || '–'} (${number(f.count)})` }))
  return (
    <div className="stack" style={{ gap: 8 }}>
      {local ? (
        <div className="narrow">
          <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('host.project')} aria-label={t('host.project')} value={narrow.project} onChange={(project) => set({ ...narrow, project })} options={options('projects')} />
          <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('host.one')} aria-label={t('host.one')} value={narrow.host} onChange={(host) => set({ ...narrow, host })} options={options('hosts')} />
          <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('host.label')} aria-label={t('host.label')} value={narrow.label} onChange={(label) => set({ ...narrow, label })} options={options('labels')} />
          <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('host.engine')} aria-label={t('host.engine')} value={narrow.engine} onChange={(engine) => set({ ...narrow, engine })} options={options('engines')} />
        </div>
      ) : <div className="narrow">
        <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('registries.kind')} aria-label={t('registries.kind')} value={narrow.kind} onChange={(kind) => set({ ...narrow, kind })} options={options('kinds')} />
        <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('images.registry')} aria-label={t('images.registry')} value={narrow.registry} onChange={(registry) => set({ ...narrow, registry })} options={options('registries')} />
        <Select mode="multiple" maxTagCount="responsive" allowClear placeholder={t('images.namespace')} aria-label={t('images.namespace')} value={narrow.namespace} onChange={(namespace) => set({ ...narrow, namespace })} options={options('namespaces')} />
        <Select allowClear placeholder={t('scan.pushed')} aria-label={t('scan.pushed')} value={narrow.pushedDays} onChange={(pushedDays) => set({ ...narrow, pushedDays })} options={pushedOptions(narrow.pushedDays)} />
      </div>}
      <div className="row wrap">
        <Checkbox checked={narrow.newest} onChange={(e) => set({ ...narrow, newest: e.target.checked })}>{t('images.newestOnly')}</Checkbox>
        <Checkbox checked={narrow.running} onChange={(e) => set({ ...narrow, running: e.target.checked })}>{t('images.runningOnly')}</Checkbox>
        <Checkbox checked={narrow.never} onChange={(e) => set({ ...narrow, never: e.target.checked })}>{t('scan.never')}</Checkbox>
      </div>
    </div>
  )
}
