/** Who made the mistake, which decides how loudly it is logged and what happens next. */
export type ErrorSource = 'client' | 'peer' | 'store' | 'config' | 'internal';

/** The root of all errors this program raises on purpose. `code` is stable and listed in docs/reference/errors.md. */
export class CodedError extends Error {
  readonly code: string;
  readonly source: ErrorSource;
  readonly retryable: boolean;

  constructor(code: string, message: string, source: ErrorSource, retryable = false, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.source = source;
    this.retryable = retryable;
  }
}

/** Fewer bytes are there than the packet announced. In a complete packet this is a malformed packet. */
export class TruncatedError extends CodedError {
  constructor(message: string) {
    super('TRUNCATED', message, 'client');
  }
}

/** A peer broke its protocol. `reasonCode` is what goes on the wire, where the protocol has such a thing. */
export class ProtocolError extends CodedError {
  readonly reasonCode: number;

  constructor(code: string, message: string, reasonCode: number, source: ErrorSource = 'client') {
    super(code, message, source);
    this.reasonCode = reasonCode;
  }
}

/** Something the user gave us (a file, a flag, a port) cannot be used. The message says where, what was expected and what came. */
export class ConfigError extends CodedError {
  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, 'config', false, cause);
  }
}

/** Throws when an invariant of our own is broken: a bug. It ends the connection whose bytes found it, or else the process. */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new CodedError('INVARIANT', `broken invariant: ${why}`, 'internal');
}

/** Ends a switch over a closed union: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new CodedError('INVARIANT', `unreachable value: ${String(value)}`, 'internal');
}
