import { createBrowserRouter, Navigate, type RouteObject } from 'react-router'
import { NotFoundPage } from '../pages/NotFoundPage'
import { PageError } from '../ui/PageError'
import { Root } from './Root'

/** page loads a page's script when it is opened. The file exports it as Component. */
function page(load: () => Promise<{ Component: React.ComponentType }>): Pick<RouteObject, 'lazy'> {
  return { lazy: load }
}

export const router = createBrowserRouter([
  {
    Component: Root,
    ErrorBoundary: PageError,
    HydrateFallback: () => null,
    children: [
      {
        ErrorBoundary: PageError,
        children: [
          { index: true, element: <Navigate to="/registries" replace /> },
          { path: 'registries', ...page(() => import('../pages/registries/RegistriesPage')) },
          { path: 'feeds', ...page(() => import('../pages/feeds/FeedsPage')) },
          { path: 'audit', ...page(() => import('../pages/audit/AuditPage')) },
          { path: 'profile', ...page(() => import('../pages/profile/ProfilePage')) },
          { path: '*', Component: NotFoundPage },
        ],
      },
    ],
  },
])
