import { api, body, type Page, type Schema } from './client'
import type { AssetRow, Query } from './images'

export type VulnerabilityRow = Schema<'VulnerabilityRow'>
export type Vulnerability = Schema<'Vulnerability'>
export type ComponentRow = Schema<'ComponentRow'>
export type SecretRow = Schema<'SecretRow'>
export type MalwareRow = Schema<'MalwareRow'>

const q = (query: Query) => query as never

export const listVulnerabilities = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/vulnerabilities', { params: { query: q(query) }, signal })) as Promise<Page<VulnerabilityRow>>
export const getVulnerability = (id: string) => body(api.GET('/api/v1/vulnerabilities/{id}', { params: { path: { id } } }))
export const listVulnerabilityImages = (id: string, query: Query, signal?: AbortSignal) =>
  body(api.GET('/api/v1/vulnerabilities/{id}/images', { params: { path: { id }, query: q(query) }, signal })) as Promise<Page<AssetRow>>
export const listComponents = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/components', { params: { query: q(query) }, signal })) as Promise<Page<ComponentRow>>
export const getComponent = (id: number) => body(api.GET('/api/v1/components/{id}', { params: { path: { id } } }))
export const listSecrets = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/secrets', { params: { query: q(query) }, signal })) as Promise<Page<SecretRow>>
export const listMalware = (query: Query, signal?: AbortSignal) => body(api.GET('/api/v1/malware', { params: { query: q(query) }, signal })) as Promise<Page<MalwareRow>>
