import { api, body, type Page, type Schema } from './client'
import type { Query } from './images'

export type Schedule = Schema<'Schedule'>
export type ScheduleSettings = Schema<'ScheduleSettings'>
export type ScheduleRun = Schema<'ScheduleRun'>
export type SchedulePreview = Schema<'SchedulePreview'>
/** Images that a schedule is about: of registries, or of hosts. */
export type ImageKind = NonNullable<ScheduleSettings['kind']>

const at = (id: number) => ({ path: { id } })

export const listSchedules = (signal?: AbortSignal) => body(api.GET('/api/v1/schedules', { signal })) as Promise<Page<Schedule>>
export const createSchedule = (settings: ScheduleSettings) => body(api.POST('/api/v1/schedules', { body: settings }))
export const updateSchedule = (id: number, settings: ScheduleSettings) => body(api.PUT('/api/v1/schedules/{id}', { params: at(id), body: settings }))
export const deleteSchedule = (id: number) => api.DELETE('/api/v1/schedules/{id}', { params: at(id) })
export const enableSchedule = (id: number, on: boolean) =>
  body(on ? api.POST('/api/v1/schedules/{id}/enable', { params: at(id) }) : api.POST('/api/v1/schedules/{id}/disable', { params: at(id) }))
export const runSchedule = (id: number) => body(api.POST('/api/v1/schedules/{id}/run', { params: at(id) }))
export const previewSchedule = (settings: ScheduleSettings, signal?: AbortSignal) => body(api.POST('/api/v1/schedules/preview', { body: settings, signal }))
export const listRuns = (id: number, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/schedules/{id}/runs', { params: { ...at(id), query: query as never }, signal })) as Promise<Page<ScheduleRun>>
