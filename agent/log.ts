/** What the agent says of its own work: a constant message with an object, no secrets and no payloads. A pino logger fits. */
export interface Log {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
  error(detail: object, message: string): void
}
