import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { antdStyles } from './scripts/antd-styles.ts'
import { firstScript } from './scripts/first-script.ts'

// For "npm run dev": the service that the pages talk to.
const service = process.env.PRATIQUE_SERVICE ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [antdStyles(), firstScript('src/app/early.ts'), react()],
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: { polyfill: false },
    // Inlined images would need an exception in the content policy for fonts, too.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    // Few files rather than small ones: a page asks for twenty, not for sixty.
    rolldownOptions: {
      input: ['index.html', 'src/app/early.ts'],
      output: {
        codeSplitting: {
          groups: [
            // What the first script needs is not to be in a file with a library.
            { name: 'early', test: /src[\\/](app[\\/](early|pages|locales|ui)|api[\\/]asked|i18n[\\/]catalogues|lib[\\/](store|zone)|table[\\/]size)\.ts|vite[\\/]preload-helper/, priority: 3 },
            { name: 'base', test: /node_modules[\\/](react|react-dom|react-router|scheduler|@tanstack|i18next|dayjs|openapi-fetch|@babel|@ant-design[\\/](cssinjs|icons-svg|fast-color|colors))/, priority: 2 },
            { name: 'shared', minShareCount: 12, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': { target: service, changeOrigin: false }, '/openapi.json': service } },
  test: { include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'] },
})
