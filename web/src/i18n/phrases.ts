// What the service says in English, in Chinese. Errors, remedies and reasons are
// sentences of the service, with values in them; the phrase book has these sentences
// as the service's source has them ("%s", "%d"), and a test of the service fails when
// it says something that is not in the book. A sentence of somebody else (a
// registry's own message) stays as it is.
export type PhraseBook = Record<string, string>

interface Phrase {
  pattern: RegExp
  chinese: string
}

const verb = /%[-+# 0]*[\d.]*[a-zA-Z%]/g
const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** compile makes patterns of a book, those that say most first. */
export function compile(book: PhraseBook): Phrase[] {
  const said = (english: string) => english.replace(verb, '').length
  return Object.entries(book)
    .sort(([a], [b]) => said(b) - said(a))
    .map(([english, chinese]) => {
      let source = ''
      let end = 0
      for (const m of english.matchAll(verb)) {
        source += literal(english.slice(end, m.index))
        // A value that follows a word without a space may be missing: "does not exist%s".
        source += m[0] === '%%' ? '%' : m[0].endsWith('q') ? '"((?:[^"\\\\]|\\\\.)*)"' : /[\w)]$/.test(english.slice(end, m.index)) ? '(.*?)' : '(.+?)'
        end = m.index + m[0].length
      }
      return { pattern: new RegExp(`^${source}${literal(english.slice(end))}$`, 's'), chinese }
    })
}

const depth = 4 // of sentences within sentences

/** translated is a sentence in Chinese; undefined when the book does not have it. Values that are sentences themselves are translated as well. */
export function translated(sentence: string, phrases: Phrase[], left = depth): string | undefined {
  if (left === 0 || sentence.length > 1000) return undefined
  for (const { pattern, chinese } of phrases) {
    const m = pattern.exec(sentence)
    if (m) return chinese.replace(/(\p{Script=Han})?\{(\d+)\}(?=(\p{Script=Han})?)/gu, (_, before = '', i: string, after = '') => spaced(before, value(m[Number(i) + 1] ?? '', phrases, left - 1), after))
  }
  // "usr/lib/x.jar: what is wrong with it"
  const at = sentence.indexOf(': ')
  if (at < 0) return undefined
  const rest = translated(sentence.slice(at + 2), phrases, left - 1)
  return rest === undefined ? undefined : `${sentence.slice(0, at)}：${rest}`
}

/** spaced puts a space between a Chinese character and a word or number that is put beside it. */
function spaced(before: string, text: string, after: string): string {
  return before + (before && /^[A-Za-z0-9]/.test(text) ? ' ' : '') + text + (after && /[A-Za-z0-9]$/.test(text) ? ' ' : '')
}

/** value is a part of a sentence: one itself, or ": " and somebody else's words, or a name. */
function value(part: string, phrases: Phrase[], left: number): string {
  const said = part.replace(/^: /, '')
  return (said === part ? '' : '：') + (translated(said, phrases, left) ?? said)
}
