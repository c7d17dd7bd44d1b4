// The component library's styles come as one file for all of its components; made
// at run time instead, they would cost a page a tenth of a second. What the console
// does not use is left out here, and so are the variables of the library's own
// theme: ours are set where the theme is (src/app/theme.ts).
import type { Plugin } from 'vite'

/** Classes are named after their component, but for these. */
const classes: Record<string, string[]> = { 'date-picker': ['picker'], 'color-picker': ['color'], 'float-button': ['float'], badge: ['badge', 'ribbon', 'scroll-number'] }

/** Components that the console does not use: a build fails when it begins to. */
const unused = [
  'anchor', 'avatar', 'badge', 'breadcrumb', 'calendar', 'card', 'carousel', 'cascader', 'color-picker', 'date-picker', 'descriptions', 'flex', 'float-button',
  'image', 'list', 'masonry', 'mentions', 'pagination', 'popconfirm', 'progress', 'qrcode', 'rate', 'result', 'slider', 'splitter', 'statistic', 'steps', 'table', 'tag',
  'timeline', 'tour', 'transfer', 'tree', 'tree-select', 'typography', 'upload',
]

const names = unused.flatMap((component) => classes[component] ?? [component]).sort((a, b) => b.length - a.length)
const ofUnused = new RegExp(`\\.ant-(${names.join('|')})(?![a-z])`)
const ofOurTheme = /^(\.css-var-|\.data-ant-cssinjs)/

/** selectors splits at commas that are not inside brackets. */
function selectors(list: string): string[] {
  return list.split(/,(?![^()]*\))/)
}

/** inUse is a style sheet without the rules that only concern what is not used. */
export function inUse(css: string): string {
  let out = ''
  for (let at = 0; at < css.length;) {
    const open = css.indexOf('{', at)
    if (open < 0) break
    let end = open + 1
    for (let depth = 1; depth > 0 && end < css.length; end++) depth += css[end] === '{' ? 1 : css[end] === '}' ? -1 : 0
    const head = css.slice(at, open).trim()
    const body = css.slice(open + 1, end - 1)
    at = end
    if (/^@(media|supports|container|layer)/.test(head)) {
      const inner = inUse(body)
      if (inner) out += `${head}{${inner}}`
    } else if (head.startsWith('@') || !selectors(head).every((one) => ofUnused.test(one) || ofOurTheme.test(one.trim()))) out += `${head}{${body}}`
  }
  return out
}

export function antdStyles(): Plugin {
  return {
    name: 'antd-styles-in-use',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith('antd/dist/antd.css') ? inUse(code) : undefined),
    generateBundle() {
      const found = new Set([...this.getModuleIds()].map((id) => /antd\/es\/([a-z-]+)\/style\//.exec(id)?.[1]))
      const missing = unused.filter((component) => found.has(component))
      if (missing.length > 0) this.error(`scripts/antd-styles.ts leaves out the styles of ${missing.join(', ')}, which the console uses`)
    },
  }
}
