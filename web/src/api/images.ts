import { api, body, type Page, type Schema } from './client'

export type AssetRow = Schema<'AssetRow'>
export type AssetFilter = Schema<'AssetFilter'>
export type Facets = Schema<'AssetFacets'>
export type Content = Schema<'ContentOf'>
export type FindingRow = Schema<'FindingRow'>
export type PlacedFinding = Schema<'PlacedFinding'>
export type PlacedSecret = Schema<'PlacedSecret'>
export type PlacedMalware = Schema<'PlacedMalware'>
export type PlacedPackage = Schema<'PlacedPackage'>
export type BuildHistory = Schema<'BuildHistory'>
export type FindingEvent = Schema<'FindingEvent'>

/** Parameters of a list, as they stand in the address. */
export type Query = Record<string, unknown>

const at = (imageID: string, query: Query = {}) => ({ path: { imageID }, query: query as never })

export const listImages = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/images', { params: { query: query as never }, signal })) as Promise<Page<AssetRow>>
export const listFacets = (query: Query = {}, signal?: AbortSignal) => body(api.GET('/api/v1/images/facets', { params: { query: query as never }, signal }))
export const getImage = (id: number) => body(api.GET('/api/v1/images/{id}', { params: { path: { id } } }))
export const getContent = (imageID: string) => body(api.GET('/api/v1/contents/{imageID}', { params: at(imageID) }))

export const listContentVulnerabilities = (imageID: string, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/contents/{imageID}/vulnerabilities', { params: at(imageID, query), signal })) as Promise<Page<FindingRow>>
export const getContentVulnerability = async (imageID: string, vulnerability: string) =>
  ((await body(api.GET('/api/v1/contents/{imageID}/vulnerabilities/{vulnerability}', { params: { path: { imageID, vulnerability } } }))).items ?? []) as PlacedFinding[]
export const listContentSecrets = (imageID: string, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/contents/{imageID}/secrets', { params: at(imageID, query), signal })) as Promise<Page<PlacedSecret>>
export const listContentMalware = (imageID: string, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/contents/{imageID}/malware', { params: at(imageID, query), signal })) as Promise<Page<PlacedMalware>>
export const listContentPackages = (imageID: string, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/contents/{imageID}/packages', { params: at(imageID, query), signal })) as Promise<Page<PlacedPackage>>
export const getBuildHistory = (imageID: string) => body(api.GET('/api/v1/contents/{imageID}/history', { params: at(imageID) }))
export const listContentEvents = (imageID: string, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/contents/{imageID}/events', { params: at(imageID, query), signal })) as Promise<Page<FindingEvent>>

/** compareContent compares with another image, or else with the same one at the scan before the last. */
export const compareContent = (imageID: string, other: string) =>
  body(api.GET('/api/v1/contents/{imageID}/compare', { params: at(imageID, other ? { with: other } : {}) }))

/** toFilter turns the parameters of the list of images into the filter of a request for scans. */
export function toFilter(query: Query): AssetFilter {
  const many = (name: string) => {
    const value = query[name]
    return value === undefined || value === '' ? undefined : Array.isArray(value) ? (value as string[]) : String(value).split(',')
  }
  const numbers = (name: string) => many(name)?.map(Number)
  const on = (name: string) => (query[name] === 'true' || query[name] === true ? true : undefined)
  const text = (name: string) => (query[name] ? String(query[name]) : undefined)
  const number = (name: string) => (query[name] ? Number(query[name]) : undefined)
  const either = (name: string) => (query[name] === undefined || query[name] === '' ? undefined : String(query[name]) === 'true')
  const range = (name: string) => {
    const from = text(`${name}From`)
    const to = text(`${name}To`)
    return from || to ? { from, to } : undefined
  }
  const filter = {
    ids: numbers('id'), exclude: numbers('exclude'), imageIDs: many('imageID'), status: many('status'), risk: many('risk'), riskKinds: many('riskKind'),
    severities: many('severity'), kinds: many('kind'), registries: numbers('registry'), namespaces: many('namespace'), repositories: numbers('repository'),
    os: many('os'), architectures: many('arch'), search: text('search'), newest: on('newest'), running: on('running'), highPriority: on('highPriority'),
    recommended: on('recommended'), fixable: on('fixable'), mustFix: on('mustFix'), gone: on('gone'), licensed: either('licensed'), vulnerability: text('vulnerability'), package: text('package'),
    components: numbers('component'), secret: number('secret'), malware: number('malware'), minSize: number('minSize'), maxSize: number('maxSize'),
    hosts: many('host'), projects: many('project'), labels: many('label'), engines: many('engine'), container: text('container'), pod: text('pod'), used: either('used'), scannable: either('scannable'),
    created: range('created'), pushed: range('pushed'), pushedDays: number('pushedDays'), scannedAt: range('scanned'), synced: range('synced'),
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as AssetFilter
}
