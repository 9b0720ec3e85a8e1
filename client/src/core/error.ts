/**
 * What went wrong: one of the server's codes, or one of the client's own.
 *
 * - `TOKEN_UNAVAILABLE`: getToken threw, hung, or renewed nothing.
 * - `NEVER_OPENED`: no handshake has ever succeeded, five times in a row.
 * - `TIMEOUT`: the server did not answer in time.
 * - `PROTOCOL`: the server sent what is no message of the protocol.
 * - `HANDLER`: a handler of the application threw or rejected.
 */
export type ErrorCode =
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'VALIDATION_ERROR'
  | 'RATE_LIMIT_EXCEEDED'
  | 'INTERNAL_ERROR'
  | 'TOKEN_UNAVAILABLE'
  | 'NEVER_OPENED'
  | 'PROTOCOL'
  | 'HANDLER'
  | 'TIMEOUT';

/**
 * An error of the connection. Its message is for a developer; show the user words of your own, chosen by `code`.
 *
 * @example
 * ```ts
 * onError: (error) => { if (!error.retryable) report(error.code, error.cause); }
 * ```
 */
export interface RealtimeError extends Error {
  readonly name: 'RealtimeError';
  readonly code: ErrorCode;
  /** Whether the client goes on trying by itself. */
  readonly retryable: boolean;
  /** When, in milliseconds since 1970 by this machine's clock. */
  readonly at: number;
  /** The server's reason, such as `token_expired`; open-ended. */
  readonly reason?: string | undefined;
  /** What was thrown, where somebody else's code threw. */
  readonly cause?: unknown;
}

export const realtimeError = (
  code: ErrorCode,
  message: string,
  at: number,
  retryable = true,
  more: { readonly reason?: string | undefined; readonly cause?: unknown } = {},
): RealtimeError => Object.assign(new Error(message), { name: 'RealtimeError' as const, code, retryable, at, ...more });

/**
 * Throw it from getToken when no token will ever come, such as after a refused consent: the client stops with state `error` instead of trying again. connect() or a new session starts it anew.
 *
 * @example
 * ```ts
 * getToken: async () => { if (consentRefused) throw new FatalTokenError('consent'); return token(); }
 * ```
 */
export class FatalTokenError extends Error {
  override readonly name: string = 'FatalTokenError';
}
