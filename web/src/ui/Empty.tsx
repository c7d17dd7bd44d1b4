import type { ReactNode } from 'react'

/** Empty says why there is nothing, and what to do. */
export function Empty({ title, help, action }: { title: string; help?: string; action?: ReactNode }) {
  return (
    <div className="empty">
      <h3>{title}</h3>
      {help && <p>{help}</p>}
      {action}
    </div>
  )
}
