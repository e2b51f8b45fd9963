import { expect, test } from 'vitest'
import { seal, unseal } from '../../../bot/oidc/seal.ts'

const held = { idToken: 'id', refreshToken: 'refresh', accessToken: null }

test('only the token it was sealed with opens it', () => {
  const sealed = seal(held, 'token')
  expect(unseal(sealed, 'token')).toEqual(held)
  expect(() => unseal(sealed, 'another')).toThrow()
})

test('a changed byte is noticed, wherever it is', () => {
  const sealed = seal(held, 'token')
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Uint8Array.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(() => unseal(changed, 'token')).toThrow()
  }
})

test('the same tokens never look the same', () => expect(seal(held, 'token')).not.toEqual(seal(held, 'token')))
