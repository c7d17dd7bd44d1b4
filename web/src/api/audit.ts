import { api, body, type Page, type Schema } from './client'

export type AuditEntry = Schema<'AuditEntry'>

export const listAudit = (query: Record<string, unknown>, signal?: AbortSignal) =>
  body(api.GET('/api/v1/audit', { params: { query: query as never }, signal })) as Promise<Page<AuditEntry>>
