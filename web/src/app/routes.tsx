import { createBrowserRouter, type RouteObject } from 'react-router'
import { NotFoundPage } from '../pages/NotFoundPage'
import { PageError } from '../ui/PageError'
import { Root } from './Root'

/** page loads a page's script when it is opened. The file exports it as Component. */
function page(load: () => Promise<{ Component: React.ComponentType }>): Pick<RouteObject, 'lazy'> {
  return { lazy: load }
}

const none = { Component: () => null }

export const router = createBrowserRouter([
  {
    Component: Root,
    ErrorBoundary: PageError,
    HydrateFallback: () => null,
    children: [
      {
        ErrorBoundary: PageError,
        children: [
          { index: true, ...page(() => import('../pages/overview/OverviewPage')) },
          // The drawer's addresses are below the list's, which stays as it is.
          { path: 'images', ...page(() => import('../pages/images/ImagesPage')), children: [{ path: ':row', ...none }, { path: ':row/:tab', ...none }] },
          { path: 'local-images', ...page(() => import('../pages/local/LocalImagesPage')), children: [{ path: ':row', ...none }, { path: ':row/:tab', ...none }] },
          { path: 'hosts', ...page(() => import('../pages/hosts/HostsPage')) },
          { path: 'containers', ...page(() => import('../pages/containers/ContainersPage')) },
          { path: 'agents', ...page(() => import('../pages/agents/AgentsPage')) },
          { path: 'vulnerabilities', ...page(() => import('../pages/vulnerabilities/VulnerabilitiesPage')) },
          { path: 'vulnerabilities/:id', ...page(() => import('../pages/vulnerabilities/VulnerabilityPage')) },
          { path: 'malware', ...page(() => import('../pages/malware/MalwarePage')) },
          { path: 'secrets', ...page(() => import('../pages/secrets/SecretsPage')) },
          { path: 'components', ...page(() => import('../pages/components/ComponentsPage')) },
          { path: 'components/:id', ...page(() => import('../pages/components/ComponentPage')) },
          { path: 'tasks', ...page(() => import('../pages/tasks/TasksPage')) },
          { path: 'tasks/:id', ...page(() => import('../pages/tasks/TaskPage')) },
          { path: 'schedules', ...page(() => import('../pages/schedules/SchedulesPage')) },
          { path: 'registries', ...page(() => import('../pages/registries/RegistriesPage')) },
          { path: 'feeds', ...page(() => import('../pages/feeds/FeedsPage')) },
          { path: 'exports', ...page(() => import('../pages/exports/ExportsPage')) },
          { path: 'quota', ...page(() => import('../pages/quota/QuotaPage')) },
          { path: 'audit', ...page(() => import('../pages/audit/AuditPage')) },
          { path: 'settings', ...page(() => import('../pages/settings/SettingsPage')) },
          { path: 'profile', ...page(() => import('../pages/profile/ProfilePage')) },
          { path: '*', Component: NotFoundPage },
        ],
      },
    ],
  },
])
