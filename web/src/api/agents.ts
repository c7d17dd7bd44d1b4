import { api, body, type Schema } from './client'

export type Agent = Schema<'Agent'>
export type AgentToken = Schema<'AgentToken'>
export type NewToken = Schema<'NewToken'>
export type TokenInput = Schema<'TokenInput'>

export const listAgents = async (signal?: AbortSignal) => (await body(api.GET('/api/v1/agents', { signal }))).items as Agent[]
export const revokeAgent = (id: number) => body(api.DELETE('/api/v1/agents/{id}', { params: { path: { id } } }))
export const listTokens = async (signal?: AbortSignal) => (await body(api.GET('/api/v1/agent-tokens', { signal }))).items as AgentToken[]
export const createToken = (input: TokenInput) => body(api.POST('/api/v1/agent-tokens', { body: input }))
export const revokeToken = (id: number) => body(api.DELETE('/api/v1/agent-tokens/{id}', { params: { path: { id } } }))
