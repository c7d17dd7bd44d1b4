import { api, body, type Page, type Schema } from './client'
import type { Query } from './images'

export type Task = Schema<'TaskRow'>
export type Scan = Schema<'ScanRow'>
export type ScanRequest = Schema<'ScanRequest'>
export type ScanPreview = Schema<'ScanPreview'>
export type CancelRequest = Schema<'CancelRequest'>

export const listTasks = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/tasks', { params: { query: query as never }, signal })) as Promise<Page<Task>>
export const getTask = (id: number) => body(api.GET('/api/v1/tasks/{id}', { params: { path: { id } } }))
export const listScans = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/scans', { params: { query: query as never }, signal })) as Promise<Page<Scan>>
export const getScan = (id: number) => body(api.GET('/api/v1/scans/{id}', { params: { path: { id } } }))
export const previewScan = (request: ScanRequest, signal?: AbortSignal) => body(api.POST('/api/v1/scans/preview', { body: request, signal }))
export const startScan = (request: ScanRequest) => body(api.POST('/api/v1/tasks', { body: request }))
export const rescanTask = (id: number, failedOnly: boolean) => body(api.POST('/api/v1/tasks/{id}/rescan', { params: { path: { id } }, body: { failedOnly } }))
export const cancelTask = (id: number, imageIDs?: string[]) => body(api.POST('/api/v1/tasks/{id}/cancel', { params: { path: { id } }, body: { imageIDs } }))
export const cancelScans = (request: CancelRequest) => body(api.POST('/api/v1/scans/cancel', { body: request }))

export const categories = ['vulnerability', 'secret', 'malware', 'software'] as const
