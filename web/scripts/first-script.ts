// Puts a script of its own before the page's in index.html. Scripts that index.html
// names itself become one file, which runs when all that it imports has been read,
// and the styles; this one runs as soon as it is there.
import type { Plugin } from 'vite'

export function firstScript(source: string): Plugin {
  return {
    name: 'first-script',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const built = Object.values(bundle ?? {}).find((file) => file.type === 'chunk' && file.facadeModuleId?.endsWith(`/${source}`))
        return [{ tag: 'script', attrs: { type: 'module', async: true, crossorigin: true, src: `/${built?.fileName ?? source}` }, injectTo: 'head-prepend' }]
      },
    },
  }
}
