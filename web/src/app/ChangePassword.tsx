import Alert from 'antd/es/alert'
import Button from 'antd/es/button'
import Form from 'antd/es/form'
import Input from 'antd/es/input'
import { useState } from 'react'
import { ApiError } from '../api/client'
import { setPassword, type Session } from '../api/session'
import { t } from '../i18n'
import { errorText, remedyText } from '../ui/ErrorNote'
import { LanguageLine } from './SignIn'

const shortest = 12 // characters; the service insists, too

interface Values {
  current: string
  password: string
  again: string
}

/** ChangePassword is a page of its own while a one-time password is in use. */
export function ChangePassword({ done, forced }: { done(session: Session): void; forced?: boolean }) {
  const [form] = Form.useForm<Values>()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()

  async function submit(values: Values) {
    setBusy(true)
    setError(undefined)
    try {
      done(await setPassword(values.current, values.password))
      form.resetFields()
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      const known = (['current', 'password'] as const).filter((name) => e.fields[name])
      if (known.length > 0) form.setFields(known.map((name) => ({ name, errors: [name === 'current' ? t('password.wrong') : e.fields[name] || errorText(e)] })))
      else setError(e)
    } finally {
      setBusy(false)
    }
  }

  const fields = (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={submit}>
      <Form.Item name="current" label={forced ? t('password.oneTime') : t('password.current')} rules={[{ required: true, message: t('signin.passwordMissing') }]}>
        <Input.Password autoComplete="current-password" autoFocus={forced} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('password.new')}
        extra={t('password.rule', { n: shortest })}
        rules={[{ required: true, min: shortest, message: t('password.rule', { n: shortest }) }]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t('password.again')}
        dependencies={['password']}
        rules={[({ getFieldValue }) => ({ validator: (_, v) => (v === getFieldValue('password') ? Promise.resolve() : Promise.reject(new Error(t('password.differ')))) })]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      {error && <Alert type="error" role="alert" style={{ marginBottom: 14 }} title={errorText(error)} description={remedyText(error)} />}
      <Button type="primary" htmlType="submit" loading={busy} block={forced}>
        {t('password.submit')}
      </Button>
    </Form>
  )
  if (!forced) return fields
  return (
    <main className="sign-in">
      <div className="card">
        <h1 style={{ fontSize: 16, marginBottom: 4 }}>{t('password.title')}</h1>
        <p className="muted" style={{ margin: '0 0 18px' }}>{t('password.help')}</p>
        {fields}
        <LanguageLine />
      </div>
    </main>
  )
}
