import { useQuery, useQueryClient } from '@tanstack/react-query'
import AntApp from 'antd/es/app'
import Button from 'antd/es/button'
import Checkbox from 'antd/es/checkbox'
import Drawer from 'antd/es/drawer'
import Form from 'antd/es/form'
import Input from 'antd/es/input'
import InputNumber from 'antd/es/input-number'
import Select from 'antd/es/select'
import { useRef, useState } from 'react'
import { ApiError } from '../../api/client'
import { checkName, createRegistry, listKinds, testSettings, updateRegistry, type Field, type Registry, type RegistryKind, type TestResult } from '../../api/registries'
import { say, t, tx } from '../../i18n'
import { useNarrow } from '../../lib/narrow'
import { ErrorNote, faultText } from '../../ui/ErrorNote'
import { Spoken } from '../../ui/bits'
import { initial, toInput, visible, type Values } from './fields'

interface Props {
  /** The one that is changed; undefined for a new one. */
  registry?: Registry
  close(): void
  saved(registry: Registry): void
}

/** RegistryForm asks for what the chosen kind of registry says that it needs. */
export default function RegistryForm(props: Props) {
  const kinds = useQuery({ queryKey: ['registry-kinds'], queryFn: listKinds, staleTime: Infinity })
  const narrow = useNarrow()
  return (
    <Drawer
      open
      size={narrow ? '100%' : 560}
      title={props.registry ? t('registries.change', { name: props.registry.name }) : t('registries.add')}
      onClose={props.close}
      mask={{ closable: false }}
      styles={{ body: { paddingTop: 12 } }}
    >
      {kinds.error && <ErrorNote error={kinds.error} retry={() => void kinds.refetch()} />}
      {kinds.data && <Body {...props} kinds={kinds.data} />}
    </Drawer>
  )
}

// What few registries need stands apart, and is open where something of it is set.
const rare = ['site', 'insecure', 'ca', 'proxy', 'namespaces', 'webhookSecret']
const isRare = (f: Field) => rare.includes(f.name)
const isSet = (value: unknown) => (Array.isArray(value) ? value.length > 0 : Boolean(value))

const namePause = 300 // ms of typing before a name is checked

function Body({ registry, close, saved, kinds }: Props & { kinds: RegistryKind[] }) {
  const [form] = Form.useForm<Values>()
  const { message } = AntApp.useApp()
  const queries = useQueryClient()
  const [kind, setKind] = useState(registry?.kind ?? kinds[0]?.kind ?? '')
  const [busy, setBusy] = useState<'save' | 'test'>()
  const [error, setError] = useState<ApiError>()
  const [result, setResult] = useState<TestResult>()
  const [remove, setRemove] = useState<string[]>([])
  const values = (Form.useWatch([], form) as Values | undefined) ?? {}
  const fields = kinds.find((k) => k.kind === kind)?.fields ?? []
  const id = registry?.id ?? 0
  const site = fields.some((f) => f.name === 'site' && visible(f, values)) ? String(values.site ?? '') : ''
  const shown = fields.filter((f) => visible(f, { ...initial(fields, registry), ...values }))
  const [more, setMore] = useState(() => shown.some((f) => isRare(f) && isSet(registry?.[f.name as keyof Registry])))
  const one = (f: Field) => (
    <FormField key={f.name} field={f} id={id} stored={f.name === 'password' && !!registry?.hasPassword} removed={remove.includes(f.name)} remove={(on) => setRemove(on ? [...remove, f.name] : remove.filter((n) => n !== f.name))} />
  )

  function failed(e: unknown) {
    if (!(e instanceof ApiError)) return // the form has marked what is missing
    const own = Object.entries(e.fields).filter(([name]) => fields.some((f) => f.name === name))
    if (own.length === 0) return setError(e)
    form.setFields(own.map(([name, text]) => ({ name, errors: [faultText(text, e.remedy)] })))
    if (own.some(([name]) => fields.some((f) => f.name === name && isRare(f)))) setMore(true)
    form.scrollToField(own[0][0], { behavior: 'smooth', block: 'center' })
  }

  async function run(what: 'save' | 'test') {
    setBusy(what)
    setError(undefined)
    setResult(undefined)
    try {
      await form.validateFields()
      const input = toInput(kind, fields, form.getFieldsValue(true) as Values, remove)
      if (what === 'test') {
        setResult(await testSettings(id, input))
      } else {
        const made = registry ? await updateRegistry(id, input) : await createRegistry(input)
        await queries.invalidateQueries({ queryKey: ['registries'] })
        void message.success(registry ? t('registries.changed', { name: made.name }) : t('registries.added', { name: made.name }))
        saved(made)
      }
    } catch (e) {
      failed(e)
    } finally {
      setBusy(undefined)
    }
  }

  return (
    <Form form={form} layout="vertical" initialValues={initial(fields, registry)} onValuesChange={() => setResult(undefined)} scrollToFirstError>
      <Form.Item label={t('registries.kind')} required>
        <Select
          value={kind}
          aria-label={t('registries.kind')}
          onChange={(next) => {
            setKind(next)
            setResult(undefined)
            // What was typed stays; fields of the new kind begin with their defaults.
            form.setFieldsValue({ ...initial(kinds.find((k) => k.kind === next)?.fields ?? []), ...form.getFieldsValue(true) })
          }}
          options={kinds.map((k) => ({ value: k.kind, label: say(k.label) }))}
        />
      </Form.Item>
      {shown.filter((f) => !isRare(f)).map(one)}
      {shown.some(isRare) && (
        <details className="more-fields" open={more} onToggle={(e) => setMore(e.currentTarget.open)}>
          <summary>{t('registries.moreFields')}</summary>
          {shown.filter(isRare).map(one)}
        </details>
      )}
      {busy === 'test' && site && <p className="muted" role="status">{t('registries.testsByAgent', { site })}</p>}
      {result && <Result result={result} />}
      {error && <ErrorNote error={error} />}
      <div className="form-foot">
        <Button onClick={() => void run('test')} loading={busy === 'test'} disabled={busy === 'save'}>{t('registries.test')}</Button>
        <span className="grow" />
        <Button onClick={close}>{t('common.cancel')}</Button>
        <Button type="primary" onClick={() => void run('save')} loading={busy === 'save'} disabled={busy === 'test'}>{t('common.ok')}</Button>
      </div>
    </Form>
  )
}

/** nameCheck asks the service whether a name may be used, once the typing pauses. */
function nameCheck(id: number) {
  let latest: AbortController | undefined
  return {
    async validator(_: unknown, value: string) {
      latest?.abort()
      if (!value?.trim()) return
      const mine = (latest = new AbortController())
      await new Promise((done) => setTimeout(done, namePause))
      if (mine.signal.aborted) return
      // What cannot be asked now is found out when the form is sent.
      const answer = await checkName(value.trim(), id, mine.signal).catch(() => undefined)
      if (answer && !answer.available) {
        throw new Error(faultText(answer.reason, answer.remedy))
      }
    },
  }
}

interface FieldProps {
  field: Field
  id: number
  stored: boolean
  removed: boolean
  remove(on: boolean): void
}

function FormField({ field, id, stored, removed, remove }: FieldProps) {
  const [nameRule] = useState(() => nameCheck(id))
  const label = say(field.label)
  const rules = []
  if (field.required) rules.push({ required: true, whitespace: true, message: t('form.required', { field: label }) })
  if (field.name === 'name') rules.push(nameRule)
  const help = say(field.help)
  if (field.type === 'bool') {
    return (
      <Form.Item name={field.name} valuePropName="checked" extra={help}>
        <Checkbox>{label}</Checkbox>
      </Form.Item>
    )
  }
  return (
    <Form.Item name={field.name} label={label} extra={help} rules={rules} hasFeedback={field.name === 'name'} validateTrigger="onChange" required={field.required}>
      {field.type === 'select' ? (
        <Select options={(field.options ?? []).map((o) => ({ value: o.value as string, label: say(o.label) }))} />
      ) : field.type === 'integer' ? (
        <Integer field={field} />
      ) : field.type === 'password' ? (
        <Secret stored={stored} removed={removed} remove={remove} />
      ) : field.type === 'pem' ? (
        <Pem />
      ) : field.type === 'list' ? (
        <Select mode="tags" tokenSeparators={[',', ' ']} placeholder={field.placeholder} open={false} suffixIcon={null} />
      ) : (
        <Input placeholder={field.placeholder} spellCheck={false} autoCapitalize="none" autoComplete="off" />
      )}
    </Form.Item>
  )
}

interface Control<T> {
  id?: string
  value?: T
  onChange?(value: T): void
}

/** Integer has presets, and takes any other number. */
function Integer({ field, id, value, onChange }: Control<number> & { field: Field }) {
  const presets = (field.options ?? []).map((o) => ({ value: Number(o.value), label: say(o.label) }))
  const [other, setOther] = useState(() => presets.length > 0 && !presets.some((p) => p.value === (value ?? 0)))
  return (
    <div className="row">
      <Select
        id={id}
        style={{ flex: 1 }}
        value={other ? -1 : value}
        options={[...presets, { value: -1, label: t('form.otherNumber') }]}
        onChange={(next) => {
          setOther(next === -1)
          onChange?.(next === -1 ? Math.max(1, value ?? 1) : next)
        }}
      />
      {other && <InputNumber min={1} max={1_000_000} precision={0} value={value} onChange={(n) => onChange?.(n ?? 1)} aria-label={say(field.label)} />}
    </div>
  )
}

function Secret({ id, value, onChange, stored, removed, remove }: Control<string> & Pick<FieldProps, 'stored' | 'removed' | 'remove'>) {
  return (
    <>
      <Input.Password id={id} value={value} disabled={removed} onChange={(e) => onChange?.(e.target.value)} autoComplete="new-password" placeholder={stored ? t('form.secretStored') : ''} />
      {stored && <Checkbox checked={removed} onChange={(e) => { remove(e.target.checked); if (e.target.checked) onChange?.('') }}>{t('form.secretRemove')}</Checkbox>}
    </>
  )
}

function Pem({ id, value, onChange }: Control<string>) {
  const file = useRef<HTMLInputElement>(null)
  return (
    <>
      <Input.TextArea id={id} className="mono" value={value} onChange={(e) => onChange?.(e.target.value)} rows={3} placeholder="-----BEGIN CERTIFICATE-----" spellCheck={false} />
      <Button size="small" style={{ marginTop: 4 }} onClick={() => file.current?.click()}>{t('form.chooseFile')}</Button>
      <input ref={file} type="file" hidden accept=".pem,.crt,.cer" onChange={(e) => void e.target.files?.[0]?.text().then((text) => onChange?.(text))} />
    </>
  )
}

/** Result of a connection test: status, reason, remedy, and whom the registry must let in. */
function Result({ result }: { result: TestResult }) {
  const good = result.status === 'connected'
  return (
    <div className={`note ${good ? 'ok' : 'bad'}`} role="status" style={{ marginBottom: 12 }}>
      <div className="grow">
        <p>
          <strong>{tx('health', result.status)}</strong>
          {result.product && <span className="muted"> · {result.product} {result.version}</span>}
          {result.agent && <span className="muted"> · {t('registries.testedBy', { name: result.agent })}</span>}
        </p>
        {say(result.reason) && <p>{say(result.reason)}</p>}
        {say(result.remedy) && <p>{say(result.remedy)}</p>}
        {!good && result.message && <p className="muted"><Spoken text={result.message} /></p>}
        {(result.warnings ?? []).map((w, i) => <p key={i}>{say(w.reason)} {say(w.remedy)}</p>)}
        {result.endpoints && result.endpoints.length > 0 && <p className="muted">{result.agent ? t('registries.endpointsOfAgent') : t('registries.endpoints')} <span className="mono">{result.endpoints.join(', ')}</span></p>}
        {result.sources && result.sources.length > 0 && <p className="muted">{result.agent ? t('registries.sourcesOfAgent') : t('registries.sources')} <span className="mono">{result.sources.join(', ')}</span></p>}
      </div>
    </div>
  )
}
