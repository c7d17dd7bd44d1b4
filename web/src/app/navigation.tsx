// What there is, in the order of the navigation. A page is a file below pages/,
// loaded when it is opened; a new one gets a line here and one in routes.tsx.
import AuditOutlined from '@ant-design/icons/AuditOutlined'
import CloudServerOutlined from '@ant-design/icons/CloudServerOutlined'
import DatabaseOutlined from '@ant-design/icons/DatabaseOutlined'
import type { ComponentType } from 'react'
import type { Right } from '../api/session'
import type { Key } from '../i18n'

export interface Place {
  path: string
  label: Key
  icon: ComponentType
  right: Right
  /** Pressed after g. */
  key: string
}

export const navigation: { label?: Key; places: Place[] }[] = [
  {
    label: 'nav.operate' satisfies Key,
    places: [
      { path: '/registries', label: 'nav.registries' satisfies Key, icon: CloudServerOutlined, right: 'read', key: 'r' },
      { path: '/feeds', label: 'nav.feeds' satisfies Key, icon: DatabaseOutlined, right: 'read', key: 'f' },
      { path: '/audit', label: 'nav.audit' satisfies Key, icon: AuditOutlined, right: 'administer', key: 'a' },
    ],
  },
]

export const places = navigation.flatMap((group) => group.places)
