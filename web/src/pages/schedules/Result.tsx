import Popover from 'antd/es/popover'
import type { ScheduleRun } from '../../api/schedules'
import { t, tx } from '../../i18n'
import { detailOf, errorText, remedyText } from '../../ui/ErrorNote'

const tone: Record<string, string> = { success: 'ok', nothing_to_scan: 'outline', insufficient_quota: 'warn', error: 'bad' }

/** Result is what came of a run, and why. */
export function Result({ run }: { run: ScheduleRun }) {
  if (!run.ended) return <span className="tag info">{t('schedule.running')}</span>
  const result = run.result || 'success'
  const tag = <span className={`tag ${tone[result] ?? ''}`}>{tx('scheduleResult', result)}</span>
  const { error } = run
  if (!error) return tag
  return (
    <Popover content={<div style={{ maxWidth: 380 }}><p style={{ margin: 0 }}><strong>{errorText(error)}</strong></p>{detailOf(error) && <p className="muted" lang="en" style={{ margin: '2px 0 0' }}>{detailOf(error)}</p>}<p style={{ margin: '4px 0 0' }}>{remedyText(error)}</p></div>}>
      <span tabIndex={0} aria-label={`${tx('scheduleResult', result)}: ${errorText(error)}`}>{tag}</span>
    </Popover>
  )
}
