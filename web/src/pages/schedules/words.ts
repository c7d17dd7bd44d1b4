// A schedule in words, as short as a list needs them.
import type { Schedule, ScheduleSettings } from '../../api/schedules'
import { currentLanguage, t, tx } from '../../i18n'
import { listed } from '../../lib/format'
import { ownZone } from '../../lib/zone'

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

type Times = Pick<ScheduleSettings, 'everyDays' | 'weekdays' | 'start' | 'end'>

/** frequencyOf is "Every 7 days, 01:00–05:00". */
export function frequencyOf({ everyDays, weekdays: days, start, end }: Times): string {
  const when = days && days.length > 0
    ? t('schedule.onDays', { days: listed(weekdays.filter((d) => days.includes(d)).map((d) => tx('weekday', d))) })
    : cycleOf(everyDays ?? 1)
  return `${when} ${end ? t('schedule.between', { start, end }) : t('schedule.at', { start })}`
}

/** cycleOf is a number of days in words. */
export const cycleOf = (days: number) => (days === 1 ? t('schedule.daily') : t('schedule.everyDays', { n: days }))

/** momentIn is a moment by the clock on the wall of a zone: "Sat 11-28 01:00", with its year when that is another one. */
export function momentIn(moment: string, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(new Date(moment))
  const get = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  const weekday = new Intl.DateTimeFormat(currentLanguage() === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: zone, weekday: 'short' }).format(new Date(moment))
  const year = get('year') === String(new Date().getFullYear()) ? '' : `${get('year')}-`
  return `${weekday} ${year}${get('month')}-${get('day')} ${get('hour')}:${get('minute')}`
}

/** zones are those that the browser knows; one that a schedule has is among them in any case. */
export function zones(kept: string): string[] {
  return [...new Set([ownZone(), 'UTC', kept, ...Intl.supportedValuesOf('timeZone')])]
}

/** conditionsOf counts what narrows a schedule's scope. */
export function conditionsOf({ filter, scope }: Pick<Schedule, 'filter' | 'scope'>): { narrowed: number; excluded: number; picked: number } {
  const { exclude, ids, imageIDs, ...others } = filter ?? {}
  return { narrowed: scope === 'specified' ? 0 : Object.keys(others).length, excluded: exclude?.length ?? 0, picked: (ids?.length ?? 0) + (imageIDs?.length ?? 0) }
}
