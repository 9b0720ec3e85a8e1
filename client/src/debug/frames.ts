/** One message on the socket, without the token that it may hold. */
export interface Frame {
  /** Counts all frames, so that it names this one. */
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  /** The message's type or action. */
  readonly type: string;
  /** Bytes of its JSON. */
  readonly size: number;
  readonly message: unknown;
}

const secretName = /token|secret|password|authorization|cookie/i;
const jwt = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** A copy without what must not be shown: fields named after secrets, and whatever looks like a JSON Web Token. */
export const redacted = (value: unknown, name = ''): unknown => {
  if (typeof value === 'string') return secretName.test(name) ? `(${value.length} characters)` : value.replace(jwt, '(token)');
  if (Array.isArray(value)) return value.map((item) => redacted(item, name));
  if (typeof value === 'object' && value) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redacted(item, key)]));
  return value;
};

interface Anything {
  readonly type?: unknown;
  readonly action?: unknown;
  readonly message?: unknown;
  readonly data?: { readonly events?: unknown };
}
const typeOf = ({ type, action, message, data }: Anything): string => {
  if (typeof type === 'string') return Array.isArray(data?.events) ? `${type} of ${data.events.length}` : type;
  if (typeof action === 'string') return action;
  return message === undefined ? 'no message' : 'API Gateway';
};

/** What is kept of a message. */
export const frameOf = (n: number, at: number, direction: Frame['direction'], message: unknown): Frame => ({
  n,
  at,
  direction,
  type: typeOf(message ?? {}),
  size: message === undefined ? 0 : new TextEncoder().encode(JSON.stringify(message)).length,
  message: redacted(message),
});
