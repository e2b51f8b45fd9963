/** A stand-in for the test framework that only collects: the same files as in `npm test`, to be run many times in one process. */
export interface Scenario {
  name: string
  before: readonly Hook[]
  after: readonly Hook[]
  run: Hook
}

type Hook = () => unknown
type Body = (...values: never[]) => unknown

interface Scope {
  title: string
  before: Hook[]
  after: Hook[]
}

const scopes: Scope[] = []
/** Everything collected so far, in the order of the files. */
export const scenarios: Scenario[] = []

/** Collects a suite; options, such as its timeout, are left out. */
export function describe(title: string, ...rest: readonly (object | Hook)[]): void {
  const body = rest.find((value): value is Hook => typeof value === 'function')
  scopes.push({ title, before: [], after: [] })
  body?.()
  scopes.pop()
}
describe.each = (table: Iterable<unknown>) => (title: string, body: Body) => {
  for (const row of table) describe(titled(title, row), () => call(body, row))
}

/** Collects a test. */
export function test(title: string, ...rest: readonly (object | Hook)[]): void {
  const run = rest.find((value): value is Hook => typeof value === 'function')
  const before = scopes.flatMap((scope) => scope.before)
  const after = scopes.flatMap((scope) => scope.after).reverse()
  const own = [...scopes]
  const name = [...scopes.map((scope) => scope.title), title].join(' > ')
  if (run)
    scenarios.push({
      name,
      get before() {
        return before.length > 0 ? before : own.flatMap((scope) => scope.before)
      },
      after,
      run,
    })
}
test.each = (table: Iterable<unknown>) => (title: string, body: Body) => {
  for (const row of table) test(titled(title, row), () => call(body, row))
}

export function beforeEach(hook: Hook): void {
  scopes.at(-1)?.before.push(hook)
}
export function afterEach(hook: Hook): void {
  scopes.at(-1)?.after.push(hook)
}
/** The database is opened and seeded once for all suites. */
export function beforeAll(): void {}
/** As above. */
export function afterAll(): void {}

function call(body: Body, row: unknown): unknown {
  return (body as (...values: unknown[]) => unknown)(...(Array.isArray(row) ? row : [row]))
}

function titled(title: string, row: unknown): string {
  const values = Array.isArray(row) ? [...row] : [row]
  return title.replaceAll(/%[sjdio]/g, () => {
    const value: unknown = values.shift()
    return typeof value === 'string' || typeof value === 'function' ? String(value).slice(0, 60) : JSON.stringify(value)
  })
}
