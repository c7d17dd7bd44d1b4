import { ownZone } from '../lib/zone'
import { api, body, type Page, type Schema } from './client'

export type Estate = Schema<'Estate'>
export type Day = Schema<'Day'>

export const getOverview = () => body(api.GET('/api/v1/overview', { params: { query: { zone: ownZone() } } }))
export const listDays = async (from: string) => ((await body(api.GET('/api/v1/overview/days', { params: { query: { from } } }))) as Page<Day>).items
export const getTop = () => body(api.GET('/api/v1/overview/top', { params: { query: { limit: 5 } } }))
