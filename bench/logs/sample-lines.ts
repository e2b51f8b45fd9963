/** A small set of lines with their groups, made here, for a run without data. */
export function sampleLines(): { lines: string[]; truth: string[] } {
  const users = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gus']
  const made = Array.from({ length: 2_000 }, (_, number): [string, string] => {
    const head = `2026-03-01 10:${String(Math.floor(number / 60) % 60).padStart(2, '0')}:${String(number % 60).padStart(2, '0')},${number % 1000} INFO [worker ${number % 8}] shop.Orders: `
    const user = users[number % users.length] ?? ''
    const messages: [string, string][] = [
      [`order ${number} of ${user} was placed for ${number % 90}.50 EUR`, 'placed'],
      [`payment of order ${number} took ${number % 700} ms`, 'payment'],
      [`user ${user} signed in from 10.0.${number % 250}.${number % 200}`, 'signed in'],
      [`cache refreshed`, 'cache'],
    ]
    const [text, label] = messages[(number * 7 + (number >> 3)) % messages.length] ?? ['', '']
    return [head + text, label]
  })
  return { lines: made.map(([line]) => line), truth: made.map(([, label]) => label) }
}
