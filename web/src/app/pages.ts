// The pages by the first words of their addresses: the script of each, and what it
// asks the service for before anything else.
import type { ComponentType } from 'react'
import { ownZone } from '../lib/zone'

export interface PageOf {
  /** The file exports the page as Component. */
  load(): Promise<{ Component: ComponentType }>
  /** The list that the page shows, by its name in the API. */
  list?: string
  /** Addresses of the API that it asks besides. */
  asks?(): string[]
  /** The drawer's addresses are below the list's, which stays as it is. */
  drawer?: boolean
}

export const pages: Record<string, PageOf> = {
  '': { load: () => import('../pages/overview/OverviewPage'), asks: () => [`/api/v1/overview?zone=${encodeURIComponent(ownZone())}`] },
  images: { load: () => import('../pages/images/ImagesPage'), list: 'images', drawer: true },
  'local-images': { load: () => import('../pages/local/LocalImagesPage'), list: 'local-images', drawer: true },
  hosts: { load: () => import('../pages/hosts/HostsPage'), list: 'hosts' },
  containers: { load: () => import('../pages/containers/ContainersPage'), list: 'containers' },
  agents: { load: () => import('../pages/agents/AgentsPage') },
  vulnerabilities: { load: () => import('../pages/vulnerabilities/VulnerabilitiesPage'), list: 'vulnerabilities' },
  'vulnerabilities/:id': { load: () => import('../pages/vulnerabilities/VulnerabilityPage') },
  malware: { load: () => import('../pages/malware/MalwarePage'), list: 'malware' },
  secrets: { load: () => import('../pages/secrets/SecretsPage'), list: 'secrets' },
  components: { load: () => import('../pages/components/ComponentsPage'), list: 'components' },
  'components/:id': { load: () => import('../pages/components/ComponentPage') },
  tasks: { load: () => import('../pages/tasks/TasksPage'), list: 'tasks' },
  'tasks/:id': { load: () => import('../pages/tasks/TaskPage') },
  schedules: { load: () => import('../pages/schedules/SchedulesPage') },
  registries: { load: () => import('../pages/registries/RegistriesPage') },
  feeds: { load: () => import('../pages/feeds/FeedsPage') },
  exports: { load: () => import('../pages/exports/ExportsPage') },
  quota: { load: () => import('../pages/quota/QuotaPage') },
  audit: { load: () => import('../pages/audit/AuditPage') },
  settings: { load: () => import('../pages/settings/SettingsPage') },
  profile: { load: () => import('../pages/profile/ProfilePage') },
}

/** pageAt is the page of an address. */
export function pageAt(pathname: string): PageOf | undefined {
  const [first = '', second] = pathname.split('/').filter(Boolean)
  return (second !== undefined && pages[`${first}/:id`]) || pages[first]
}
