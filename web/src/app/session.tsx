// Who is signed in. Without a session the sign-in form stands in the place of the
// page, whose address stays; when a session ends under an open page, the form
// comes over it, and the page is there again afterwards, with what was typed.
import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { onSessionEnd } from '../api/client'
import { getSession, type Right, type Session } from '../api/session'
import { ChangePassword } from './ChangePassword'
import { SignIn } from './SignIn'
import { loadPreference, useUi, type Ui } from './preferences'
import { recall, remember } from '../lib/store'
import { ErrorNote } from '../ui/ErrorNote'

interface SessionContext {
  session: Session
  may(right: Right): boolean
}

const Context = createContext<SessionContext | null>(null)

export function useSession(): SessionContext {
  const value = useContext(Context)
  if (!value) throw new Error('useSession outside of SessionGate')
  return value
}

const asked = { queryKey: ['session'], queryFn: getSession, staleTime: 5 * 60_000 }
const sessionKey = asked.queryKey

/** askForSession begins to ask who is signed in, while scripts are still on their way. */
export function askForSession(queries: QueryClient): void {
  if (recall<boolean>('signedIn') === true) void queries.prefetchQuery(asked)
}

export function SessionGate({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const { adopt } = useUi()
  const [ended, setEnded] = useState(false)
  // Whoever never signed in here need not be told by the service that they are not.
  const [known, setKnown] = useState(() => recall<boolean>('signedIn') === true)
  const query = useQuery({ ...asked, enabled: known && !ended })
  const session = query.data

  useEffect(
    () =>
      onSessionEnd(() => {
        remember('signedIn', false)
        setEnded(true)
      }),
    [],
  )

  const name = session?.user.name
  useEffect(() => {
    if (!name) return
    loadPreference<Partial<Ui>>('ui').then((kept) => kept && adopt(kept), () => undefined)
  }, [name, adopt])

  const value = useMemo(
    () => session && { session, may: (right: Right) => (session.rights as Right[] | null)?.includes(right) ?? false },
    [session],
  )

  function signedIn(next: Session) {
    const same = !session || session.user.id === next.user.id
    queries.setQueryData(sessionKey, next)
    setEnded(false)
    setKnown(true)
    remember('signedIn', true)
    // Another user must not see what the one before had loaded.
    if (!same) queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' })
    void queries.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'session' })
  }

  if (!session && (!known || ended)) return <SignIn done={signedIn} />
  if (query.isPending) return null
  if (query.error && !session) {
    return (
      <div className="sign-in">
        <div style={{ maxWidth: 520 }}>
          <ErrorNote error={query.error} retry={() => void query.refetch()} />
        </div>
      </div>
    )
  }
  if (!value) return null
  if (value.session.user.mustSet) return <ChangePassword forced done={signedIn} />
  return (
    <Context.Provider value={value}>
      {children}
      {ended && <SignIn over name={value.session.user.name} done={signedIn} />}
    </Context.Provider>
  )
}
