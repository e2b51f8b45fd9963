/** What is wrong with an address that says who asks: errors, cards and doctor show addresses. */
export const ACCOUNT_IN_ADDRESS = 'must hold no user name and no password'

/** Whether an address carries a user name or a password. */
export function hasAccount(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { username, password } = new URL(address)
  return username !== '' || password !== ''
}
