/** A command that cannot do what it was asked: the message is its last line, and says what to do. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  /** 1 for what went wrong, 2 for a command that was typed wrongly. */
  readonly exitCode: 1 | 2
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}
