import { expect, test } from 'vitest'
import type { Field, Registry } from '../../api/registries'
import { initial, toInput, visible } from './fields'

const text = { en: '', zh: '' }
const fields = [
  { name: 'name', type: 'text', label: text, required: true },
  { name: 'networkType', type: 'select', label: text, default: 'public' },
  { name: 'site', type: 'text', label: text, visibleWhen: { field: 'networkType', values: ['private'] } },
  { name: 'password', type: 'password', label: text },
  { name: 'hourlyLimit', type: 'integer', label: text, default: 0 },
  { name: 'insecure', type: 'bool', label: text, default: false, negated: true },
] as Field[]

test('a negated box is ticked when the value is false, and sends false', () => {
  const values = initial(fields)
  expect(values.insecure).toBe(true)
  expect(toInput('oci', fields, values).insecure).toBe(false)
  expect(toInput('oci', fields, { ...values, insecure: false }).insecure).toBe(true)
})

test('a field that is hidden is not sent', () => {
  const values = { ...initial(fields), site: 'berlin' }
  expect(visible(fields[2], values)).toBe(false)
  expect(toInput('oci', fields, values)).not.toHaveProperty('site')
  expect(toInput('oci', fields, { ...values, networkType: 'private' }).site).toBe('berlin')
})

test('a stored password stays unless one is typed, or it is removed', () => {
  const values = initial(fields, { name: 'a', hasPassword: true } as Registry)
  expect(toInput('oci', fields, values)).not.toHaveProperty('password')
  expect(toInput('oci', fields, { ...values, password: 'new one' }).password).toBe('new one')
  expect(toInput('oci', fields, values, ['password']).password).toBe('')
})
