import { api, body, type Schema } from './client'

export type Session = Schema<'SessionInfo'>
export type Right = 'read' | 'scan' | 'registries' | 'feeds' | 'administer'

export const getSession = () => body(api.GET('/api/v1/session'))
export const signIn = (name: string, password: string) => body(api.POST('/api/v1/session', { body: { name, password } }))
export const signOut = () => api.DELETE('/api/v1/session')
export const setPassword = (current: string, password: string) => body(api.PUT('/api/v1/session/password', { body: { current, password } }))
