// A secret's name. Rules have English names, and those of others whole sentences; their
// ids are all built alike: whose it is, then what it is ("gitlab-deploy-token"). So a
// short name in either language is made of the id.
import { currentLanguage, tx } from '../../i18n'

/** kinds are what ids end with, the longest first. */
const kinds: [string, string][] = [
  ['kubernetes-service-account-token', 'Kubernetes 服务账号令牌'], ['authorization-header', '授权请求头'], ['secret-access-key', '秘密访问密钥'], ['shared-access-key', '共享访问密钥'],
  ['service-account', '服务账号'], ['connection-string', '连接字符串'], ['personal-access-token', '个人访问令牌'], ['fine-grained-token', '细粒度令牌'], ['access-key-secret', '访问密钥'],
  ['access-key-id', '访问密钥 ID'], ['native-hash', '密码哈希'], ['password-hash', '密码哈希'], ['client-secret', '客户端密钥'], ['webhook-secret', 'Webhook 密钥'], ['webhook-url', 'Webhook 地址'],
  ['refresh-token', '刷新令牌'], ['session-token', '会话令牌'], ['access-token', '访问令牌'], ['bearer-token', 'Bearer 令牌'], ['deploy-token', '部署令牌'], ['upload-token', '上传令牌'], ['registry-token', '仓库令牌'],
  ['service-token', '服务令牌'], ['private-key', '私钥'], ['symmetric-key', '对称密钥'], ['signing-key', '签名密钥'], ['license-key', '许可证密钥'], ['master-key', '主密钥'], ['access-secret', '访问密钥'],
  ['access-key', '访问密钥'], ['secret-key', '密钥'], ['secret-id', '密钥 ID'], ['client-key', '客户端密钥'], ['app-secret', '应用密钥'], ['api-secret', 'API 密钥'], ['api-token', 'API 令牌'], ['api-key', 'API 密钥'],
  ['bot-token', '机器人令牌'], ['root-token', '根令牌'], ['auth-token', '认证令牌'], ['user-token', '用户令牌'], ['pat', '个人访问令牌'], ['credentials', '凭据'], ['keystore', '密钥库'], ['keytab', 'Keytab 文件'],
  ['mnemonic', '助记词'], ['passphrase', '口令'], ['password', '密码'], ['webhook', 'Webhook 地址'], ['token', '令牌'], ['secret', '密钥'], ['cookie', 'Cookie'], ['salt', '盐值'], ['hash', '密码哈希'],
  ['dsn', '连接字符串'], ['url', '连接地址'], ['key', '密钥'],
]

const chinese: Record<string, string> = { config: '配置', source: '源代码', session: '会话', url: '地址中的', generic: '通用' }

const long = 48 // letters: more are a sentence

/** nameOf is a secret's name in the console's language. */
export function nameOf(secret: { rule: string; title?: string; type?: string }): string {
  const { rule, title = '', type } = secret
  if (currentLanguage() === 'en' && title && title.length <= long) return title
  const found = kinds.find(([end]) => rule === end || rule.endsWith(`-${end}`))
  const owner = (found ? rule.slice(0, rule.length - found[0].length) : rule).replace(/-$/, '')
  // The rule's own name knows how its owner is written: "GitHub", "AWS".
  const written = owner.split('-').filter((w) => w !== 'generic').map((word) => title.match(new RegExp(`\\b${word.replace(/\W/g, '')}\\b`, 'i'))?.[0] ?? word).map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join(' ')
  const said = currentLanguage() === 'zh' ? (chinese[owner] ?? written) : written
  if (currentLanguage() === 'en') {
    const words = found ? found[0].replaceAll('-', ' ').replace(/\bapi\b/, 'API').replace(/\bpat\b/, 'personal access token').replace(/\burl\b/, 'URL') : ''
    const name = [said, words].filter(Boolean).join(' ')
    return name.charAt(0).toUpperCase() + name.slice(1)
  }
  const what = found ? found[1] : tx('secretType', type)
  return [said, what].filter(Boolean).join(said === chinese[owner] ? '' : ' ') || title || rule
}
