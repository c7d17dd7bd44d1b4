import { api, body, type Page, type Schema } from './client'
import type { AssetRow, Query } from './images'

export type HostRow = Schema<'HostRow'>
export type ContainerRow = Schema<'ContainerRow'>
export type DataUpdate = Schema<'DataUpdate'>

export const listLocalImages = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/local-images', { params: { query: query as never }, signal })) as Promise<Page<AssetRow>>
export const listLocalFacets = (query: Query = {}, signal?: AbortSignal) => body(api.GET('/api/v1/local-images/facets', { params: { query: query as never }, signal }))
export const listHosts = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/hosts', { params: { query: query as never }, signal })) as Promise<Page<HostRow>>
export const listHostFacets = (signal?: AbortSignal) => body(api.GET('/api/v1/hosts/facets', { signal }))
export const removeHost = (id: string) => body(api.DELETE('/api/v1/hosts/{id}', { params: { path: { id } } }))
export const listContainers = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/containers', { params: { query: query as never }, signal })) as Promise<Page<ContainerRow>>
/** Hosts and containers of the image of a row, wherever the row is. */
export const listImageHosts = (id: number, query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/images/{id}/hosts', { params: { path: { id }, query: query as never }, signal })) as Promise<Page<HostRow>>
export const listImageContainers = (id: number, query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/images/{id}/containers', { params: { path: { id }, query: query as never }, signal })) as Promise<Page<ContainerRow>>
export const getLastDataUpdate = async () => (await body(api.GET('/api/v1/data-updates'))).last
export const startDataUpdate = (hosts?: string[]) => body(api.POST('/api/v1/data-updates', { body: { hosts } }))
