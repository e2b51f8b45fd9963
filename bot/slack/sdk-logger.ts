import { type Logger, LogLevel } from '@slack/bolt'

export interface SdkLog {
  warn(object: object, message: string): void
  error(object: object, message: string): void
}

/** Warnings and errors alone: at other levels the SDK writes down whole messages. */
export function sdkLogger(log: SdkLog): Logger {
  const words = (parts: unknown[]): string => parts.map(String).join(' ').slice(0, 500)
  return {
    debug: () => {},
    info: () => {},
    warn: (...parts) => log.warn({ from: 'slack' }, words(parts)),
    error: (...parts) => log.error({ from: 'slack' }, words(parts)),
    setLevel: () => {},
    getLevel: () => LogLevel.WARN,
    setName: () => {},
  }
}
