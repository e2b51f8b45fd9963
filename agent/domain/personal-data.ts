/** What tells of a person, or leads to one. An address of a network is a machine as often as a person, and is not masked unless asked for. */
export const PERSONAL_KINDS = ['email', 'phone', 'card', 'iban', 'ip'] as const
export type PersonalKind = (typeof PERSONAL_KINDS)[number]
export const USUALLY_MASKED: readonly PersonalKind[] = ['email', 'phone', 'card', 'iban']

/** Each with what tells it from other text of its form; every repetition is bounded. */
const FORMS: Readonly<Record<PersonalKind, { form: RegExp; is?: (text: string) => boolean }>> = {
  email: { form: /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g },
  iban: { form: /\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}\b/g, is: isIban },
  // No issuer's number begins with a one, as times in milliseconds do.
  card: { form: /(?<![\w.-])[2-6](?:[ -]?\d){12,18}(?![\w.-])/g, is: isCard },
  // Without the sign of a country, any number could be one.
  phone: { form: /(?<![\w+])\+\d(?:[ ().-]{0,2}\d){7,14}(?!\w)/g },
  ip: {
    form: /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4}){1,4}(?!\w|:\w)/gi,
    is: isAddress,
  },
}

/** Puts the word that `nameOf` gives in place of each personal datum of these kinds. */
export function replacePersonal(
  text: string,
  kinds: readonly PersonalKind[],
  nameOf: (kind: PersonalKind, value: string) => string,
): string {
  return PERSONAL_KINDS.filter((kind) => kinds.includes(kind)).reduce((current, kind) => {
    const { form, is } = FORMS[kind]
    return current.replace(form, (found) => (is === undefined || is(found) ? nameOf(kind, found) : found))
  }, text)
}

/** By its check digit (Luhn, ISO/IEC 7812-1). */
function isCard(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).reverse()
  const sum = digits.reduce((total, digit, place) => total + (place % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit), 0)
  return new Set(digits).size > 1 && sum % 10 === 0
}

/** By its check digits (ISO 7064 MOD 97-10, as ISO 13616 uses it). */
function isIban(text: string): boolean {
  const plain = text.replaceAll(' ', '')
  if (plain.length < 15 || plain.length > 34) return false
  const rearranged = plain.slice(4) + plain.slice(0, 4)
  const rest = [...rearranged].reduce((left, sign) => Number(`${left}${Number.parseInt(sign, 36)}`) % 97, 0)
  return rest === 1
}

function isAddress(text: string): boolean {
  return text.includes(':') || text.split('.').every((part) => Number(part) <= 255)
}
