// What of a list goes into a file: its rows as they are filtered, sorted and ticked,
// and its columns in their order.
import type { ExportInput, ExportKind, FindingFilter } from '../api/exports'
import { toFilter, type AssetFilter, type Query } from '../api/images'
import { nothing, type Selection } from './selection'

/** Lists that the service can export. */
export type Exportable = 'images' | 'findings' | 'affected' | 'vulnerabilities' | 'components' | 'packages' | 'secrets' | 'malware' | 'tasks' | 'scans' | 'hosts' | 'containers' | 'changes'

/** Exporting is what a list says of its export; the button is the table's. */
export interface Exporting {
  kind: Exportable
  /** Which images the list is about, where its filters do not say so. */
  images?: AssetFilter
  /** What else may be wanted of the same images: "one file with the findings of all of them". */
  also?: Exportable[]
}

/** Listed is a list as it is on the screen. */
export interface Listed {
  query: Query
  sort: string
  /** Keys of the columns that are shown. */
  columns: string[]
  selection: Selection
}

/** unlisted is everything of the images that are meant, without a list. */
export const unlisted: Listed = { query: {}, sort: '', columns: [], selection: nothing }

const withTicks: Exportable[] = ['images', 'affected', 'hosts', 'containers']

/** hasTicks tells whether single rows of a list can be exported. */
export const hasTicks = (kind: Exportable) => withTicks.includes(kind)

/** canExclude tells whether a selection can be said to the service: only lists of images know "all but some". */
export const canExclude = (kind: Exportable, selection: Selection) => selection.mode === 'some' || selection.except.length === 0 || kind === 'images' || kind === 'affected'

type Rows = Pick<ExportInput, 'images' | 'findings' | 'tasks' | 'scans' | 'hosts' | 'containers' | 'events'>

/** rowsOf is which rows of a list are meant: those that are ticked, or all that its filter lets through. */
export function rowsOf({ kind, images }: Exporting, { query, selection }: Pick<Listed, 'query' | 'selection'>, ticked: boolean): Rows {
  switch (kind) {
    case 'images':
    case 'affected':
      if (ticked && selection.mode === 'some') return { images: { ...images, ids: selection.keys as number[] } }
      return { images: { ...toFilter(query), ...images, ...(ticked && selection.mode === 'all' && selection.except.length > 0 && { exclude: selection.except as number[] }) } }
    case 'vulnerabilities':
    case 'components':
      return { findings: { ...findingsOf(query), ...placesOf(query) } }
    case 'findings':
    case 'packages':
    case 'secrets':
    case 'malware':
      return { images: { ...placesOf(query), ...images }, findings: findingsOf(query) }
    case 'tasks':
      return { tasks: without({ kinds: many(query.kind), running: on(query.running), creator: text(query.creator), imageIDs: many(query.imageID), created: range(query) }) as Rows['tasks'] }
    case 'hosts': {
      const ids = ticked && selection.mode === 'some' ? selection.keys : many(query.id)
      const online = text(query.status) && text(query.status) === 'online'
      return { hosts: without({ ids, online, projects: many(query.project), labels: many(query.label), engines: many(query.engine), search: text(query.search) }) as Rows['hosts'] }
    }
    case 'containers': {
      const ids = ticked && selection.mode === 'some' ? selection.keys : undefined
      return { containers: without({ ids, hosts: many(query.host), states: many(query.state), risk: many(query.risk), projects: many(query.project), engines: many(query.engine), search: text(query.search) }) as Rows['containers'] }
    }
    case 'changes':
      return { events: without({ imageID: images?.imageIDs?.[0], vulnerability: images?.vulnerability, changes: many(query.change), causes: many(query.cause), categories: many(query.category) }) as Rows['events'] }
    case 'scans': {
      const imageIDs = ticked && selection.mode === 'some' ? (selection.keys as string[]) : many(query.imageID)
      return { scans: without({ tasks: many(query.task)?.map(Number), status: many(query.status), phase: text(query.phase), imageIDs, created: range(query) }) as Rows['scans'] }
    }
  }
}

const text = (value: unknown) => (value ? String(value) : undefined)
const on = (value: unknown) => (value === 'true' || value === true ? true : undefined)
const many = (value: unknown) => (value === undefined || value === '' ? undefined : Array.isArray(value) ? value.map(String) : String(value).split(','))
const range = (query: Query) => (query.createdFrom || query.createdTo ? { from: text(query.createdFrom), to: text(query.createdTo) } : undefined)
const without = (filter: Record<string, unknown>) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))

/** findingsOf narrows what was found. The worst vulnerability of a package is its severity, the engine of a virus its type. */
function findingsOf(query: Query): FindingFilter {
  return without({
    severities: many(query.severity ?? query.worst), search: text(query.search), types: many(query.type ?? query.engine), package: text(query.package), fixable: on(query.fixable),
    exploited: on(query.exploited), system: on(query.system), application: on(query.application), vulnerable: on(query.vulnerable), uncounted: on(query.uncounted),
  }) as FindingFilter
}

/** placesOf narrows where it was found. */
function placesOf(query: Query) {
  return without({ registries: many(query.registry)?.map(Number), newest: on(query.newest), running: on(query.running) }) as Pick<AssetFilter & FindingFilter, 'registries' | 'newest' | 'running'>
}

// Columns of a list that have another name in the file, or are several there. Others
// have the same, or none.
const columnsOf: Partial<Record<Exportable, Record<string, string[]>>> = {
  images: { status: ['status', 'scanError'], risks: ['risk', 'risks', 'critical', 'high', 'medium', 'low'], scanned: ['scannedAt'], synced: ['lastSeen'], priorityReason: ['highPriority'] },
  findings: { id: ['vulnerability'], installed: ['version'], fixed: ['fixedVersion', 'fixState'], epss: ['epss', 'exploited'] },
  vulnerabilities: { id: ['vulnerability'], epss: ['epss', 'exploited'] },
  secrets: { path: ['path', 'line', 'source'] },
  malware: { name: ['malware'], engine: ['engine', 'list'] },
  tasks: { progress: ['ended'] },
  changes: { what: ['vulnerability', 'category'], package: ['package', 'version'], values: ['before', 'after'] },
  scans: { image: ['images'], reason: ['reason', 'remedy'] },
}

// Columns without which a row says nothing once it has left the list.
const always: Partial<Record<Exportable, string[]>> = {
  findings: ['images'], packages: ['images'], secrets: ['images'], malware: ['images'],
  affected: ['name', 'tag', 'vulnerability', 'severity', 'package', 'version', 'fixedVersion', 'path'],
}

/** columnsFor is which columns of a kind stand for those of a list, in their order; all of them where no list is. */
export function columnsFor(kind: ExportKind, shown: string[]): string[] {
  const known = kind.columns.map((c) => c.id)
  if (shown.length === 0) return known
  const names = columnsOf[kind.id as Exportable] ?? {}
  const wanted = [...(always[kind.id as Exportable] ?? []), ...shown.flatMap((key) => names[key] ?? [key])]
  return [...new Set(wanted)].filter((id) => known.includes(id))
}

/** sortFor is the list's order, if the file can have it. */
export function sortFor(kind: ExportKind, sort: string): string | undefined {
  return sort && kind.sorts.includes(sort.replace(/^-/, '')) ? sort : undefined
}
