// Keys that do something on the whole page: single letters, "g i" (one after the
// other), "mod+k" (Ctrl, or ⌘ on a Mac). They rest while somebody types, and while
// a dialog is open, but for those with mod.
import { useEffect, useRef } from 'react'

type Bindings = Record<string, (e: KeyboardEvent) => void>

const leader = 'g'
const sequence = 1000 // ms within which the second key has to follow

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

function dialogOpen(): boolean {
  return document.querySelector('.ant-modal-wrap:not([style*="display: none"]) .ant-modal') !== null
}

let prefix = ''
let prefixAt = 0
if (typeof window !== 'undefined') {
  // Noted once for all, after everybody has seen the key.
  window.addEventListener('keydown', (e) => {
    if (!typing(e.target) && e.key.length === 1 && !e.ctrlKey && !e.metaKey && !e.altKey) {
      prefix = Date.now() - prefixAt < sequence && prefix !== '' ? '' : e.key
      prefixAt = Date.now()
    }
  })
}

export function useKeys(bindings: Bindings): void {
  const latest = useRef(bindings)
  useEffect(() => {
    latest.current = bindings
  })
  useEffect(() => {
    function press(e: KeyboardEvent) {
      const mod = e.ctrlKey || e.metaKey
      if (e.altKey || e.isComposing || (!mod && (typing(e.target) || dialogOpen()))) return
      const name = mod ? `mod+${e.key.toLowerCase()}` : e.key
      // What follows g is the second half of a pair, and nothing by itself.
      const second = !mod && prefix === leader && Date.now() - prefixAt < sequence
      const run = latest.current[second ? `${leader} ${e.key}` : name]
      if (run) {
        e.preventDefault()
        run(e)
      }
    }
    window.addEventListener('keydown', press, true)
    return () => window.removeEventListener('keydown', press, true)
  }, [])
}
