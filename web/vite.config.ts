import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { antdStyles } from './scripts/antd-styles.ts'

// For "npm run dev": the service that the pages talk to.
const service = process.env.PRATIQUE_SERVICE ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [antdStyles(), react()],
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: { polyfill: false },
    // Inlined images would need an exception in the content policy for fonts, too.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/api': { target: service, changeOrigin: false }, '/openapi.json': service } },
  test: { include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'] },
})
