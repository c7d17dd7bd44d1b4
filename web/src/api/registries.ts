import { api, body, type Page, type Schema } from './client'

export type Registry = Schema<'Registry'>
export type RegistryInput = Schema<'RegistryInput'>
export type RegistryKind = Schema<'RegistryKind'>
export type Field = Schema<'RegistryField'>
export type TestResult = Schema<'RegistryHealth'>

interface Query {
  kind?: string[]
  health?: string[]
  search?: string
}

export const listRegistries = (query: Query = {}, signal?: AbortSignal) =>
  body(api.GET('/api/v1/registries', { params: { query }, signal })) as Promise<Page<Registry>>

export const listKinds = async () => (await body(api.GET('/api/v1/registry-kinds'))) ?? []

export const checkName = (name: string, except: number, signal?: AbortSignal) =>
  body(api.GET('/api/v1/registry-names/{name}', { params: { path: { name }, query: { except } }, signal }))

export const createRegistry = (input: RegistryInput) => body(api.POST('/api/v1/registries', { body: input }))

export const updateRegistry = (id: number, input: RegistryInput) =>
  body(api.PUT('/api/v1/registries/{id}', { params: { path: { id } }, body: input }))

export const deleteRegistries = (ids: number[]) => body(api.POST('/api/v1/registries/delete', { body: { ids } }))

export const testRegistry = (id: number) => body(api.POST('/api/v1/registries/{id}/test', { params: { path: { id } } }))

/** testSettings tests what a form says; with the id of a registry its stored password is used. */
export const testSettings = (id: number, input: RegistryInput) =>
  body(api.POST('/api/v1/registries/test', { params: { query: { id } }, body: input }))

export const listSyncs = async (id: number) =>
  (await body(api.GET('/api/v1/registries/{id}/syncs', { params: { path: { id }, query: { limit: 20 } } }))) ?? []

/** startSync asks registries what they hold; without ids, all of them. */
export const startSync = (request: { ids?: number[]; full?: boolean }) => body(api.POST('/api/v1/registries/sync', { body: request }))
export const cancelSync = (id: number) => api.POST('/api/v1/registries/{id}/sync/cancel', { params: { path: { id } } })

/** getEgress is whom registries see when we ask them. */
export const getEgress = () => body(api.GET('/api/v1/egress'))
