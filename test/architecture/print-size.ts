import { join } from 'node:path'
import { sizeFigures } from './sizes.ts'
import { readSources } from './source.ts'

console.table(sizeFigures(readSources(join(import.meta.dirname, '..', '..'))))
