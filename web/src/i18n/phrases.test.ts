import { describe, expect, it } from 'vitest'
import { compile, translated } from './phrases'
import book from './phrases.zh.json'

const phrases = compile(book)

describe('what the service says', () => {
  it('is Chinese with the same values', () => {
    expect(translated('12 of 40 images had no licence and were left out', phrases)).toBe('40 个镜像中有 12 个没有授权，已略过')
    expect(translated('no advisory feed for Debian is loaded: 3 packages not judged', phrases)).toBe('未加载 Debian 的漏洞公告源：3 个软件包未作判定')
    expect(translated('"Mars/Olympus" is no time zone', phrases)).toBe('“Mars/Olympus”不是时区')
  })
  it('is Chinese with and without what somebody else added', () => {
    expect(translated('team/app:1 does not exist', phrases)).toBe('team/app:1 不存在')
    expect(translated('team/app:1 does not exist: MANIFEST_UNKNOWN', phrases)).toBe('team/app:1 不存在：MANIFEST_UNKNOWN')
    expect(translated("1.1.1k < 1.1.1n in dpkg's version order; source package openssl of libssl1.1", phrases)).toBe('1.1.1k < 1.1.1n（按 dpkg 版本规则比较）；libssl1.1 的源码包 openssl')
  })
  it('stays as it is when somebody else said it', () => {
    expect(translated('denied: requested access to the resource is denied', phrases)).toBeUndefined()
  })
  it('keeps the place that it is about', () => {
    expect(translated('var/lib/x: nobody is signed in', phrases)).toBe('var/lib/x：尚未登录')
  })
  it('has a Chinese sentence, and all values, for each', () => {
    for (const [english, chinese] of Object.entries(book)) {
      const values = (english.replaceAll('%%', '').match(/%[-+# 0]*[\d.]*[a-zA-Z]/g) ?? []).length
      expect(new Set(chinese.match(/\{\d+\}/g) ?? []).size, english).toBe(values)
      expect(chinese, english).toMatch(/\p{Script=Han}/u)
    }
  })
})
