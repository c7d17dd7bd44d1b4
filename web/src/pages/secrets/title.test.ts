import { describe, expect, it } from 'vitest'
import { setLanguage } from '../../i18n'
import { nameOf } from './title'

describe('the name of a secret', () => {
  const sentence = 'Uncovered a GitHub Personal Access Token, potentially leading to unauthorized repository access and sensitive content exposure.'
  it('is short, whatever the rule calls it', async () => {
    globalThis.document ??= { documentElement: {} } as Document
    await setLanguage('en')
    expect(nameOf({ rule: 'github-pat', title: sentence, type: 'token' })).toBe('GitHub personal access token')
    expect(nameOf({ rule: 'aws-secret-access-key', title: 'AWS secret access key' })).toBe('AWS secret access key')
  })
  it('is Chinese in Chinese', async () => {
    await setLanguage('zh')
    expect(nameOf({ rule: 'github-pat', title: sentence, type: 'token' })).toBe('GitHub 个人访问令牌')
    expect(nameOf({ rule: 'aws-secret-access-key', title: 'AWS secret access key' })).toBe('AWS 秘密访问密钥')
    expect(nameOf({ rule: 'private-key', title: 'Private key', type: 'private key' })).toBe('私钥')
    expect(nameOf({ rule: 'pgpass', title: 'PostgreSQL password file', type: 'password' })).toBe('Pgpass 密码')
    await setLanguage('en')
  })
})
