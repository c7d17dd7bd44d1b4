import { api, body, type Page, type Schema } from './client'

export type FeedState = Schema<'FeedState'>
export type Adoption = Schema<'Adoption'>

export const getFeeds = () => body(api.GET('/api/v1/feeds'))
export const listAdoptions = (limit: number) => body(api.GET('/api/v1/feeds/history', { params: { query: { limit } } })) as Promise<Page<Adoption>>
export const updateFeeds = () => api.POST('/api/v1/feeds/update')
export const rollBackFeeds = () => body(api.POST('/api/v1/feeds/rollback'))
export const previewFeeds = () => body(api.POST('/api/v1/feeds/preview'))
export const adoptFeeds = () => body(api.POST('/api/v1/feeds/adopt'))

/** importFeed sends a file as it is. Its name tells the service what it is. */
export const importFeed = (name: string, file: File) =>
  api.POST('/api/v1/feeds/import', { params: { query: { name } }, body: file as never, bodySerializer: (content: unknown) => content as Blob, headers: { 'Content-Type': 'application/octet-stream' } })
