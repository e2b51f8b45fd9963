/** Where a command says something. Words go to standard output, progress to standard error where a person watches. */
export interface Terminal {
  say(line?: string): void
  /** A line that is replaced by the next one, on a terminal; elsewhere it is said once in a while. Null takes it away. */
  progress(line: string | null): void
}

interface Streams {
  out: { write(text: string): unknown }
  err: { write(text: string): unknown; isTTY?: boolean; columns?: number }
}

/** Said on something that is no terminal, progress would be noise: once in five seconds is enough to see that it goes on. */
const SAY_EVERY_MS = 5_000

export function createTerminal({ out, err }: Streams, now: () => Date): Terminal {
  let shown = false
  let saidAt = now().getTime()
  const clear = (): void => {
    if (shown) err.write('\r\u001b[2K')
    shown = false
  }
  return {
    say(line = '') {
      clear()
      saidAt = now().getTime()
      out.write(`${line}\n`)
    },
    progress(line) {
      if (line === null) return clear()
      if (err.isTTY) {
        clear()
        err.write(line.slice(0, Math.max(20, (err.columns ?? 80) - 1)))
        shown = true
      } else if (now().getTime() - saidAt >= SAY_EVERY_MS) {
        saidAt = now().getTime()
        err.write(`${line}\n`)
      }
    },
  }
}

/** Runs work that may take a while: after two seconds it says what it waits for, and for how long already. */
export async function withProgress<T>(terminal: Terminal, what: string, now: () => Date, work: () => Promise<T>): Promise<T> {
  const began = now().getTime()
  const ticking = setInterval(() => {
    const seconds = Math.floor((now().getTime() - began) / 1_000)
    if (seconds >= 2) terminal.progress(`… ${what} (${seconds} s)`)
  }, 500)
  try {
    return await work()
  } finally {
    clearInterval(ticking)
    terminal.progress(null)
  }
}

/** Lines no longer than a page is wide, each indented. */
export function wrap(text: string, indent = '  ', width = 100): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + word.length + 1 > width - indent.length) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    return [...lines, line].map((each) => `${indent}${each}`.trimEnd())
  })
}
