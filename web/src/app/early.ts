// The first script of a document. It is small and needs no other, so that the page's
// own script, the language and the first answers of the service are on their way
// while the libraries are still being read: that takes a third of a second.
import { keep } from '../api/asked'
import { catalogues } from '../i18n/catalogues'
import { recall } from '../lib/store'
import { defaultSize } from '../table/size'
import { locales } from './locales'
import { pageAt, type PageOf } from './pages'
import { first } from './ui'

const page = pageAt(location.pathname)
const { language } = first()
// Whoever needs them says what went wrong.
for (const one of [page?.load(), catalogues[language](), locales[language]()]) one?.catch(() => undefined)

if (recall<boolean>('signedIn') === true) {
  // The session's answer names the service's last event, and whatever is shown must
  // not be older than that: the page hears only of what comes after it.
  const session = keep('/api/v1/session')
  session.then(async (answer) => {
    // Who has to set a password first is refused everything else.
    const { user } = (answer.ok ? await answer.clone().json() : {}) as { user?: { mustSet: boolean } }
    if (user && !user.mustSet) asksOf(page).forEach(keep)
  }).catch(() => undefined)
}

/** asksOf is what a page asks for first: a list has the parameters of its address, but for what is open beside it, and the columns that its user wants. */
function asksOf(page: PageOf | undefined): string[] {
  const asks = ['/api/v1/preferences/ui', ...(page?.asks?.() ?? [])]
  if (page?.list) {
    const params = new URLSearchParams(location.search)
    for (const name of [...params.keys()]) if (/^(dialog|edit|v|.*\..*)$/.test(name)) params.delete(name)
    if (!params.has('limit')) params.set('limit', String(defaultSize))
    asks.push(`/api/v1/${page.list}?${params}`, `/api/v1/preferences/columns.${page.list}`)
  }
  return asks
}
