import Button from 'antd/es/button'
import { ApiError, type Schema } from '../api/client'
import { begun, currentLanguage, spoken, t, told, tx } from '../i18n'
import { number } from '../lib/format'

type Told = ApiError | Schema<'Error'> | Error

function codeOf(error: Told): string {
  return 'code' in error && error.code ? error.code : 'internal'
}

/**
 * errorText is what happened, in the language of the console. What the phrase book
 * does not have gets the meaning of its code instead.
 */
export function errorText(error: Told): string {
  const numbers = codeOf(error) === 'quota' && error instanceof ApiError ? (error.params as { needed?: number; left?: number }) : {}
  const meaning = numbers.needed !== undefined && numbers.left !== undefined ? t('error.quotaShort', { needed: number(numbers.needed), left: number(numbers.left) }) : tx('error', codeOf(error))
  if (currentLanguage() === 'en') return 'code' in error && error.code !== 'offline' ? begun(error.message) : meaning
  return told(error.message) ?? (meaning === codeOf(error) ? error.message : meaning)
}

/** detailOf is the service's own sentence, in English, where errorText only has its meaning; else "". */
export function detailOf(error: Told): string {
  return told(error.message) === undefined && begun(error.message) !== begun(errorText(error)) && codeOf(error) !== 'offline' ? error.message : ''
}

/** remedyText is what to do about it. */
export function remedyText(error: Told): string {
  const code = codeOf(error)
  const known = tx('remedy', code)
  const own = known === code ? '' : known
  if ('remedy' in error && error.remedy) return begun(told(error.remedy) ?? (own || error.remedy))
  return own
}

/** faultText is what is wrong with a field, and what to do about it, on one line. */
export function faultText(...sentences: (string | undefined)[]): string {
  return sentences.flatMap((s) => (s ? [begun(spoken(s).text)] : [])).reduce((all, s) => (all ? all + between(all) + s : s), '')
}

/** errorLine is what happened and what to do, for where there is one line only. */
export function errorLine(error: Told): string {
  return faultText(errorText(error), remedyText(error))
}

/** between is what stands between two sentences, of which the first may have no full stop. */
function between(first: string): string {
  const ended = /[.!?。！？]$/.test(first)
  return currentLanguage() === 'zh' ? (ended ? '' : '；') : ended ? ' ' : ' – '
}

/** ErrorNote stands where something could not be shown: what happened, what to do, and the id that finds it in the log. */
export function ErrorNote({ error, retry }: { error: Told; retry?: () => void }) {
  const id = error instanceof ApiError ? error.requestID : undefined
  const detail = detailOf(error)
  return (
    <div className="note bad" role="alert">
      <div className="grow">
        <p><strong>{errorText(error)}</strong></p>
        {detail && <p className="muted" lang="en">{detail}</p>}
        <p>{remedyText(error)}</p>
        {id && <p className="muted">{t('error.request')} <span className="mono">{id}</span></p>}
      </div>
      {retry && <Button onClick={retry}>{t('common.retry')}</Button>}
    </div>
  )
}
