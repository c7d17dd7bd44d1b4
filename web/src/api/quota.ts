import { api, body, type Page, type Schema } from './client'
import type { AssetFilter, Query } from './images'

export type Quota = Schema<'QuotaState'>
export type QuotaInput = Schema<'QuotaInput'>
export type QuotaNeed = Schema<'QuotaNeed'>
export type QuotaEntry = Schema<'QuotaEntry'>
export type Licence = Schema<'Licence'>

export const getQuota = () => body(api.GET('/api/v1/quota'))
export const setQuota = (input: QuotaInput) => body(api.PUT('/api/v1/quota', { body: input }))
/** previewLicences is what licensing images would cost; nothing is spent. */
export const previewLicences = (filter: AssetFilter, signal?: AbortSignal) => body(api.POST('/api/v1/quota/preview', { body: { filter }, signal }))
/** licenseImages licenses all that the filter chooses, or none. */
export const licenseImages = (filter: AssetFilter) => body(api.POST('/api/v1/quota/licences', { body: { filter } }))
export const listEntries = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/quota/entries', { params: { query: query as never }, signal })) as Promise<Page<QuotaEntry>>
export const listLicences = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/quota/licences', { params: { query: query as never }, signal })) as Promise<Page<Licence>>
