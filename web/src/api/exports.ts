import { api, body, type Page, type Schema } from './client'
import type { Query } from './images'

export type Export = Schema<'ExportRow'>
export type ExportInput = Schema<'ExportInput'>
export type ExportNeed = Schema<'ExportNeed'>
export type ExportKinds = Schema<'ExportKinds'>
export type ExportKind = Schema<'Kind'>
export type FindingFilter = Schema<'FindingFilter'>
export type Format = ExportInput['format']

export const listExportKinds = () => body(api.GET('/api/v1/export-kinds'))
export const previewExport = (input: ExportInput, signal?: AbortSignal) => body(api.POST('/api/v1/exports/preview', { body: input, signal }))
export const createExport = (input: ExportInput) => body(api.POST('/api/v1/exports', { body: input }))
export const listExports = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/exports', { params: { query: query as never }, signal })) as Promise<Page<Export>>
export const deleteExport = (id: number) => api.DELETE('/api/v1/exports/{id}', { params: { path: { id } } })
/** fileOf is the address of a finished export's file. */
export const fileOf = (id: number) => `/api/v1/exports/${id}/file`
