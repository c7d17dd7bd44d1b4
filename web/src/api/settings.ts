import { api, body, type Schema } from './client'

export type Settings = Schema<'Settings'>

export const getSettings = () => body(api.GET('/api/v1/settings'))
export const setSettings = (settings: Settings) => body(api.PUT('/api/v1/settings', { body: settings }))
