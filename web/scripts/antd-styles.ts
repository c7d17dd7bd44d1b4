// The component library's styles come as one file for all of its components; made
// at run time instead, they would cost a page a tenth of a second. What the console
// does not use is left out here, and so are the variables of the library's own
// theme: ours are set where the theme is (src/app/theme.ts).
import { parse, type AtRule } from 'postcss'
import type { Plugin } from 'vite'

/** Classes are named after their component, but for these. */
const classes: Record<string, string[]> = { 'date-picker': ['picker'], 'color-picker': ['color'], 'float-button': ['float'], badge: ['badge', 'ribbon', 'scroll-number'] }

/** Components that the console does not use: a build fails when it begins to. */
const unused = [
  'affix', 'anchor', 'avatar', 'badge', 'breadcrumb', 'calendar', 'card', 'carousel', 'cascader', 'color-picker', 'date-picker', 'descriptions', 'flex', 'float-button',
  'image', 'list', 'masonry', 'mentions', 'pagination', 'popconfirm', 'progress', 'qrcode', 'rate', 'result', 'slider', 'splitter', 'statistic', 'steps', 'table', 'tag',
  'timeline', 'tour', 'transfer', 'tree', 'tree-select', 'typography', 'upload',
]

const names = unused.flatMap((component) => classes[component] ?? [component]).sort((a, b) => b.length - a.length)
const ofUnused = new RegExp(`\\.ant-(${names.join('|')})(?![a-z])`)
const ofOurTheme = /^(\.css-var-|\.data-ant-cssinjs)/
/** Parts of components in use that are never shown: a pop-up's menu has classes of its own, and no form has columns. */
const neverShown = /\.ant-(menu(?![a-z])|col-(xs|sm|md|lg|xl|xxl|rtl|push|pull|offset|order|[0-9])|layout|listy|otp)/

/** inUse is a style sheet without the rules that only concern what is not used. */
function inUse(css: string): string {
  const sheet = parse(css)
  sheet.walkRules((rule) => {
    const frame = rule.parent?.type === 'atrule' ? (rule.parent as AtRule) : undefined
    if (frame?.name.endsWith('keyframes')) return // its selectors are moments
    if (rule.selectors.every((one) => ofUnused.test(one) || ofOurTheme.test(one) || neverShown.test(one))) rule.remove()
    // The console's own sheet says this of everything; here each element would be searched for each component's name.
    else if (rule.selector.includes('[class^=') && rule.nodes.every((one) => one.toString().replace(/\s/g, '') === 'box-sizing:border-box')) rule.remove()
  })
  return sheet.toString()
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
