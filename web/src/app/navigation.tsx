// What there is, in the order of the navigation. A page is a file below pages/,
// loaded when it is opened; a new one gets a line here and one in routes.tsx.
import AppstoreOutlined from '@ant-design/icons/AppstoreOutlined'
import AuditOutlined from '@ant-design/icons/AuditOutlined'
import BugOutlined from '@ant-design/icons/BugOutlined'
import CalendarOutlined from '@ant-design/icons/CalendarOutlined'
import ClusterOutlined from '@ant-design/icons/ClusterOutlined'
import CloudServerOutlined from '@ant-design/icons/CloudServerOutlined'
import DashboardOutlined from '@ant-design/icons/DashboardOutlined'
import ContainerOutlined from '@ant-design/icons/ContainerOutlined'
import DatabaseOutlined from '@ant-design/icons/DatabaseOutlined'
import DesktopOutlined from '@ant-design/icons/DesktopOutlined'
import ExportOutlined from '@ant-design/icons/ExportOutlined'
import HddOutlined from '@ant-design/icons/HddOutlined'
import KeyOutlined from '@ant-design/icons/KeyOutlined'
import NodeIndexOutlined from '@ant-design/icons/NodeIndexOutlined'
import SafetyCertificateOutlined from '@ant-design/icons/SafetyCertificateOutlined'
import SettingOutlined from '@ant-design/icons/SettingOutlined'
import SafetyOutlined from '@ant-design/icons/SafetyOutlined'
import UnorderedListOutlined from '@ant-design/icons/UnorderedListOutlined'
import type { ComponentType } from 'react'
import type { Right } from '../api/session'
import type { Key } from '../i18n'

export interface Place {
  path: string
  label: Key
  icon: ComponentType<{ 'aria-hidden'?: boolean }>
  right: Right
  /** Pressed after g. */
  key: string
}

export const navigation: { label?: Key; places: Place[] }[] = [
  { places: [{ path: '/', label: 'nav.overview' satisfies Key, icon: DashboardOutlined, right: 'read', key: 'o' }] },
  {
    label: 'nav.risk' satisfies Key,
    places: [
      { path: '/images', label: 'nav.images' satisfies Key, icon: AppstoreOutlined, right: 'read', key: 'i' },
      { path: '/local-images', label: 'nav.localImages' satisfies Key, icon: HddOutlined, right: 'read', key: 'l' },
      { path: '/vulnerabilities', label: 'nav.vulnerabilities' satisfies Key, icon: SafetyOutlined, right: 'read', key: 'v' },
      { path: '/malware', label: 'nav.malware' satisfies Key, icon: BugOutlined, right: 'read', key: 'm' },
      { path: '/secrets', label: 'nav.secrets' satisfies Key, icon: KeyOutlined, right: 'read', key: 's' },
      { path: '/components', label: 'nav.components' satisfies Key, icon: ClusterOutlined, right: 'read', key: 'c' },
    ],
  },
  {
    label: 'nav.operate' satisfies Key,
    places: [
      { path: '/tasks', label: 'nav.tasks' satisfies Key, icon: UnorderedListOutlined, right: 'read', key: 't' },
      { path: '/schedules', label: 'nav.schedules' satisfies Key, icon: CalendarOutlined, right: 'read', key: 'd' },
      { path: '/registries', label: 'nav.registries' satisfies Key, icon: CloudServerOutlined, right: 'read', key: 'r' },
      { path: '/hosts', label: 'nav.hosts' satisfies Key, icon: DesktopOutlined, right: 'read', key: 'h' },
      { path: '/containers', label: 'nav.containers' satisfies Key, icon: ContainerOutlined, right: 'read', key: 'b' },
      { path: '/agents', label: 'nav.agents' satisfies Key, icon: NodeIndexOutlined, right: 'read', key: 'p' },
      { path: '/feeds', label: 'nav.feeds' satisfies Key, icon: DatabaseOutlined, right: 'read', key: 'f' },
      { path: '/exports', label: 'nav.exports' satisfies Key, icon: ExportOutlined, right: 'read', key: 'w' },
      { path: '/quota', label: 'nav.quota' satisfies Key, icon: SafetyCertificateOutlined, right: 'read', key: 'q' },
      { path: '/settings', label: 'nav.settings' satisfies Key, icon: SettingOutlined, right: 'administer', key: 'e' },
      { path: '/audit', label: 'nav.audit' satisfies Key, icon: AuditOutlined, right: 'administer', key: 'a' },
    ],
  },
]

export const places = navigation.flatMap((group) => group.places)
