import { z } from 'zod'

/** Text a person or program sends: no NUL and no half characters, which no database stores. */
export function textSchema(max: number, min = 0): z.ZodString {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((text) => text.isWellFormed() && !text.includes('\u0000'), 'must be well-formed text without NUL')
}
