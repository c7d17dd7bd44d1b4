import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { ApiError } from './api/client'
import { followLinks } from './app/links'
import { loadLocale } from './app/locale'
import { initialLanguage } from './app/preferences'
import { router } from './app/routes'
import { askForSession } from './app/session'
import 'antd/dist/antd.css'
import './app/theme.css'
import { setLanguage } from './i18n'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the service refused stays refused; what it could not do may work soon.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
      retryDelay: (attempt) => 1000 * 2 ** attempt,
    },
  },
})

followLinks(router)
askForSession(queries)
const language = initialLanguage()
await Promise.all([setLanguage(language), loadLocale(language)])

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      {/* A filter is a navigation. As a transition it would be rendered between other things, and its list asked for only then. */}
      <RouterProvider router={router} useTransitions={false} />
    </QueryClientProvider>
  </StrictMode>,
)
