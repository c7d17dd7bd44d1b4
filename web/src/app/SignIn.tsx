import Alert from 'antd/es/alert'
import Button from 'antd/es/button'
import Form from 'antd/es/form'
import Input from 'antd/es/input'
import Modal from 'antd/es/modal'
import { useEffect, useState } from 'react'
import { ApiError } from '../api/client'
import { signIn, type Session } from '../api/session'
import { languages, t } from '../i18n'
import { errorText, remedyText } from '../ui/ErrorNote'
import { useUi } from './preferences'

interface Props {
  done(session: Session): void
  /** A session ended under an open page: the form comes over it. */
  over?: boolean
  name?: string
}

export function SignIn({ done, over, name }: Props) {
  if (over) {
    return (
      <Modal open title={t('signin.ended')} footer={null} closable={false} width={400} mask={{ closable: false }} keyboard={false}>
        <p className="muted">{t('signin.endedHelp')}</p>
        <SignInForm done={done} name={name} />
      </Modal>
    )
  }
  return (
    <main className="sign-in">
      <div className="card">
        <div className="brand" style={{ marginBottom: 4 }}>
          <img src="/favicon.svg" alt="" />
          <h1 style={{ fontSize: 18 }}>Pratique</h1>
        </div>
        <p className="muted" style={{ margin: '0 0 18px' }}>{t('signin.tagline')}</p>
        <SignInForm done={done} />
        <LanguageLine />
      </div>
    </main>
  )
}

function SignInForm({ done, name }: { done(session: Session): void; name?: string }) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const [wait, setWait] = useState(0) // seconds until the next attempt

  useEffect(() => {
    if (wait <= 0) return
    const timer = setTimeout(() => setWait(wait - 1), 1000)
    return () => clearTimeout(timer)
  }, [wait])

  async function submit(values: { name: string; password: string }) {
    setBusy(true)
    setError(undefined)
    try {
      done(await signIn(values.name.trim(), values.password))
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      setError(e)
      setWait(e.retryAfter ?? 0)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Form layout="vertical" requiredMark={false} onFinish={submit} initialValues={{ name }}>
      <Form.Item name="name" label={t('signin.name')} rules={[{ required: true, message: t('signin.nameMissing') }]}>
        <Input autoComplete="username" autoFocus={!name} disabled={!!name} autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item name="password" label={t('signin.password')} rules={[{ required: true, message: t('signin.passwordMissing') }]}>
        <Input.Password autoComplete="current-password" autoFocus={!!name} />
      </Form.Item>
      {error && (
        <Alert
          type="error"
          role="alert"
          style={{ marginBottom: 14 }}
          title={errorText(error)}
          description={wait > 0 ? t('signin.wait', { seconds: wait }) : remedyText(error)}
        />
      )}
      <Button type="primary" htmlType="submit" block loading={busy} disabled={wait > 0}>
        {t('signin.submit')}
      </Button>
    </Form>
  )
}

export function LanguageLine() {
  const { ui, change } = useUi()
  return (
    <div className="foot">
      {languages.map((l) => (
        <button key={l.value} type="button" className="plain link" lang={l.value === 'zh' ? 'zh-CN' : 'en'} aria-pressed={ui.language === l.value} onClick={() => change({ language: l.value })}>
          {l.label}
        </button>
      ))}
    </div>
  )
}
