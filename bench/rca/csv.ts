import { readFileSync } from 'node:fs'

/** The rows of a CSV file as lists of cells; quoted cells may hold commas and doubled quotes. */
export function readCsv(path: string): string[][] {
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  return lines.filter((line) => line !== '').map((line) => (line.includes('"') ? quotedCells(line) : line.split(',')))
}

function quotedCells(line: string): string[] {
  const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)]
  return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

/** The number in a cell, or null when there is none. */
export function numberIn(cell: string | undefined): number | null {
  if (cell === undefined || cell.trim() === '') return null
  const value = Number(cell)
  return Number.isFinite(value) ? value : null
}
