// What is being filled in for a schedule, and the way to and from what the API takes.
import type { ImageKind, Schedule, ScheduleSettings } from '../../api/schedules'
import { categories } from '../../api/scans'
import { t } from '../../i18n'
import { filterOf, recommended, split, type Chosen } from '../images/scope'
import type { Picked } from '../images/Picker'
import { ownZone } from '../../lib/zone'

/** Cycles that the mission names; others are a number of days, or days of the week. */
export const cycles = [1, 7, 15, 30]

export interface Draft {
  name: string
  enabled: boolean
  cycle: number | 'other' | 'weekdays'
  days: number
  weekdays: string[]
  firstDay: string
  start: string
  end: string
  zone: string
  categories: string[]
  images: Chosen
  /** For each image; undefined is the service's own. */
  minutes?: number
}

export function newDraft(kind: ImageKind, taken: string[]): Draft {
  const base = kind === 'local' ? t('schedule.nameLocal') : t('schedule.nameRepository')
  let name = base
  for (let i = 2; taken.includes(name); i++) name = `${base} ${i}`
  return { name, enabled: true, cycle: 1, days: 3, weekdays: [], firstDay: '', start: '01:00', end: '', zone: ownZone(), categories: [...categories], images: recommended }
}

/** draftOf needs the images that the schedule names, for their names. */
export function draftOf(s: Schedule, named: Map<number, Picked>): Draft {
  const { narrow, rest, exclude } = split(s.filter)
  const some = (ids: number[]) => new Map(ids.flatMap((id) => { const image = named.get(id); return image ? [[id, image] as const] : [] }))
  const days = s.everyDays ?? 0
  return {
    name: s.name, enabled: s.enabled, cycle: days === 0 ? 'weekdays' : cycles.includes(days) ? days : 'other', days: days || 3, weekdays: s.weekdays ?? [],
    firstDay: s.firstDay ?? '', start: s.start, end: s.end ?? '', zone: s.zone, categories: [...s.categories],
    images: { scope: s.scope, picked: some(s.filter?.ids ?? []), excluding: exclude.length > 0, excluded: some(exclude), narrow, rest: s.scope === 'specified' ? undefined : rest },
    minutes: s.timeoutSeconds ? Math.max(1, Math.round(s.timeoutSeconds / 60)) : undefined,
  }
}

export function settingsOf(d: Draft, kind: ImageKind): ScheduleSettings {
  const every = d.cycle === 'other' ? d.days : d.cycle
  return {
    name: d.name.trim(), kind, enabled: d.enabled,
    ...(every === 'weekdays' ? { weekdays: d.weekdays as ScheduleSettings['weekdays'] } : { everyDays: every, ...(every > 1 && d.firstDay && { firstDay: d.firstDay }) }),
    start: d.start, ...(d.end && { end: d.end }), zone: d.zone, categories: d.categories as ScheduleSettings['categories'],
    scope: d.images.scope, filter: filterOf(d.images, kind === 'local'), ...(d.minutes && { timeoutSeconds: d.minutes * 60 }),
  }
}
