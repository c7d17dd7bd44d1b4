// Links of the console are plain <a href>. One place takes their clicks to the
// router: a list has hundreds of links, and each <Link> would listen to the address
// and be rendered again whenever a filter changes it.
import type { DataRouter } from 'react-router'

/** What the service answers itself: files, and its description. */
const served = /^\/(api\/|openapi)/

function ours(e: MouseEvent): string | undefined {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return undefined
  const link = e.target instanceof Element ? e.target.closest('a') : null
  if (!link || link.target || link.hasAttribute('download') || link.origin !== window.location.origin || served.test(link.pathname)) return undefined
  return link.pathname + link.search + link.hash
}

/** followLinks opens the pages that links lead to without loading the console anew; with a modifier key the browser does what it always does. */
export function followLinks(router: DataRouter): void {
  document.addEventListener('click', (e) => {
    const to = ours(e)
    if (to === undefined) return
    e.preventDefault()
    // The page that is open already is no step to go back to.
    const { pathname, search, hash } = window.location
    void router.navigate(to, { replace: to === pathname + search + hash })
  })
}
