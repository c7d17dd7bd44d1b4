// Values that outlive a page, in this browser. Storage can be switched off; then
// they last until the page is closed.
const memory = new Map<string, string>()

export function remember(name: string, value: unknown): void {
  const text = JSON.stringify(value)
  memory.set(name, text)
  try {
    localStorage.setItem(`pratique.${name}`, text)
  } catch {
    // Kept in memory.
  }
}

export function recall<T>(name: string): T | undefined {
  let text: string | null | undefined
  try {
    text = localStorage.getItem(`pratique.${name}`)
  } catch {
    text = undefined
  }
  text ??= memory.get(name)
  if (!text) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
