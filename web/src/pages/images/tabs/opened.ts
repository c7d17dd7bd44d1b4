import { useState } from 'react'

/** useOpened is the row whose detail is open. Its id would be in the address, if the API could be asked for it alone. */
export function useOpened<R>(keyOf: (row: R) => number): [R | undefined, (row: R | undefined) => void] {
  const [row, setRow] = useState<R>()
  return [row, (next) => setRow((before) => (next && before && keyOf(next) === keyOf(before) ? undefined : next))]
}
