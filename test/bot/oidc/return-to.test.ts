import { expect, test } from 'vitest'
import { safeReturnTo } from '../../../bot/oidc/return-to.ts'

test.each(['/', '/?a=1', '/#/incidents/inc-1', '/#/approvals/x?y=//z', '/console/app.js', '/api/v1/incidents?service=a%2Fb'])(
  '%s is a path of ours',
  (path) => expect(safeReturnTo(path)).toBe(path),
)

test.each([
  undefined,
  '',
  'https://evil.example/',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/%5cevil.example/..//evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  ' //evil.example',
  '/ /evil.example',
  'javascript:alert(1)',
  'evil.example',
  '?a=1',
  '#a',
  '/\u0000',
  '/ü',
  '/auth/login',
  '/auth/logout?x',
  '/a/../auth/login',
  `/${'a'.repeat(1_001)}`,
])('%j leads home', (path) => expect(safeReturnTo(path)).toBe('/'))

test('whatever it returns, a browser stays here', () => {
  const parts = ['/', '\\', '.', '..', '@', ':', '?', '#', '%2f', '%5c', '\t', 'a', 'evil.example', 'https:']
  for (const one of parts)
    for (const two of parts)
      for (const three of parts)
        for (const four of parts) {
          const path = safeReturnTo(`/${one}${two}${three}${four}`)
          expect(new URL(path, 'https://here.example').origin).toBe('https://here.example')
          expect(path.startsWith('/') && !path.startsWith('//')).toBe(true)
        }
})
