import { z } from 'zod'

/** What is wrong with an address that says who asks: errors, cards and doctor show addresses. */
export const ACCOUNT_IN_ADDRESS = 'must hold no user name and no password'

/** Whether an address carries a user name or a password. */
export function hasAccount(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { username, password } = new URL(address)
  return username !== '' || password !== ''
}

/** Whether a text from the environment is an address as settings may hold it. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text) && !hasAccount(text)
}

/** The same for a setting, of at most so many characters. */
export function addressSchema(most: number): z.ZodURL {
  return z
    .url({ protocol: /^https?$/ })
    .max(most)
    .refine((address) => !hasAccount(address), ACCOUNT_IN_ADDRESS)
}
