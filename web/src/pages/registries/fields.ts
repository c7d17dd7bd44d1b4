// What a connector's form means: defaults, visibility, and the way between the
// form's values and the API's. Kept apart from the form so that it can be tested.
import type { Field, Registry, RegistryInput } from '../../api/registries'

export type Values = Record<string, unknown>

export function visible(field: Field, values: Values): boolean {
  const condition = field.visibleWhen
  return !condition || (condition.values ?? []).some((v) => v === values[condition.field])
}

/** initial values: those of a registry, or each field's default. A negated box is ticked when the value is false. */
export function initial(fields: Field[], registry?: Registry): Values {
  const values: Values = {}
  for (const field of fields) {
    if (field.type === 'password') continue
    const stored = registry?.[field.name as keyof Registry]
    const value = registry ? (stored ?? emptyOf(field)) : (field.default ?? emptyOf(field))
    values[field.name] = field.type === 'bool' && field.negated ? !value : value
  }
  return values
}

function emptyOf(field: Field): unknown {
  return { bool: false, integer: 0, list: [] as string[] }[field.type as string] ?? ''
}

/** toInput is what is sent. A password that was not typed is left out, which keeps the stored one; "remove" sends an empty one. */
export function toInput(kind: string, fields: Field[], values: Values, remove: string[] = []): RegistryInput {
  const input: Values = { kind }
  for (const field of fields) {
    const value = values[field.name]
    if (field.type === 'password') {
      if (remove.includes(field.name)) input[field.name] = ''
      else if (value) input[field.name] = value
    } else if (visible(field, values)) {
      input[field.name] = field.type === 'bool' && field.negated ? !value : typeof value === 'string' ? value.trim() : value
    }
  }
  return input as RegistryInput
}
