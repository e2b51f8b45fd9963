import { join } from 'node:path'
import { readSources } from './source.ts'

/** The product's own files, read once for each test file. */
export const product = readSources(join(import.meta.dirname, '..', '..'))
