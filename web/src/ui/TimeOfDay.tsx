import { useState } from 'react'

interface Props {
  /** HH:MM, or "" for none. */
  value?: string
  onChange?(value: string): void
  id?: string
  required?: boolean
  disabled?: boolean
}

const clock = (hours: string, minutes: string) => (Number(hours) < 24 && Number(minutes) < 60 ? `${hours.padStart(2, '0')}:${minutes.padEnd(2, '0')}` : undefined)

/** whole is a time that is typed to its end: "03:00", "3:00", "0300". */
function whole(text: string): string | undefined {
  const m = /^(\d{1,2}):(\d{2})$/.exec(text) ?? /^(\d{2})(\d{2})$/.exec(text)
  return m ? clock(m[1], m[2]) : undefined
}

/** TimeOfDay is a time of 24 hours, as the console writes times in both languages; the browser's own field goes by the language of the browser. */
export function TimeOfDay({ value = '', onChange, required, ...rest }: Props) {
  const [typed, setTyped] = useState<string>() // while it is being typed
  const type = (text: string) => {
    setTyped(text)
    const time = text === '' && !required ? '' : whole(text)
    if (time !== undefined) onChange?.(time)
  }
  const leave = () => {
    const hour = /^\d{1,2}$/.exec(typed ?? '')
    if (hour) {
      const time = clock(hour[0], '00')
      if (time) onChange?.(time)
    }
    setTyped(undefined) // what is no time goes back to what was
  }
  const text = typed ?? value
  return (
    <input
      {...rest} className="native time" inputMode="numeric" autoComplete="off" placeholder="HH:MM" maxLength={5} required={required}
      aria-invalid={typed !== undefined && typed.length >= 5 && whole(typed) === undefined} value={text} onChange={(e) => type(e.target.value.trim())} onBlur={leave}
    />
  )
}
