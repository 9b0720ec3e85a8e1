package main

// The parts of the TypeScript modules that do not depend on the catalogue's rows.

const eventsTypes = `
/** A type of the catalogue. */
export type CatalogueType = (typeof EventTypes)[keyof typeof EventTypes];

/** A type of the catalogue, or one that the application added to {@link RealtimeEventMap}. */
export type RealtimeEventType = keyof RealtimeEventMap & string;

/** The envelope of a stored event. Checking ` + "`type`" + ` narrows ` + "`data`" + `. */
export type RealtimeEvent<T extends RealtimeEventType = RealtimeEventType> = T extends RealtimeEventType
  ? {
      readonly type: T;
      /** When it happened: RFC 3339, UTC, exactly three decimals. */
      readonly timestamp: string;
      /** The same whatever is retried. */
      readonly eventId: string;
      readonly tenantId: string;
      /** Contiguous for each tenant. */
      readonly sequence: number;
      /** Copied from the producer's detail.correlationId: lets a client recognise the echo of its own change. */
      readonly correlationId?: string;
      readonly data: Readonly<RealtimeEventMap[T]>;
    }
  : never;

/** An event of a type this version does not know, or one without a number. */
export interface UnknownEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly eventId?: string;
  readonly tenantId?: string;
  readonly sequence?: number;
  readonly correlationId?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Head<T extends string> = T extends ` + "`${infer P}.${infer R}`" + `
  ? P | (R extends ` + "`${string}.${string}` ? `${P}.${Head<R>}`" + ` : never)
  : never;

/** ` + "`'goal.*'`, `'action.*'`" + ` … for every prefix that exists. */
export type EventPattern = ` + "`${Head<RealtimeEventType>}.*`" + `;

/** One type, all types below a prefix, or all. */
export type EventSelector = RealtimeEventType | EventPattern | '*';

/** The types a selector stands for. */
export type Selected<S extends EventSelector> = S extends '*'
  ? RealtimeEventType
  : S extends ` + "`${infer P}.*`" + `
    ? Extract<RealtimeEventType, ` + "`${P}.${string}`" + `>
    : Extract<S, RealtimeEventType>;

/** The entity an event is about. */
export interface EntityRef {
  readonly kind: EntityKind;
  readonly id: string;
}
`

const eventsFunctions = `
const column = (event: RealtimeEvent, n: 1 | 2 | 3 | 4): string | undefined => {
  const { type, data } = event;
  return isCatalogueType(type) ? (data as object as Record<string, string | undefined>)[columns[type][n]] : undefined;
};

/** Whether this version's catalogue knows the type. */
export function isCatalogueType(type: unknown): type is CatalogueType {
  return typeof type === 'string' && Object.prototype.hasOwnProperty.call(columns, type);
}

/**
 * The entity an event is about; undefined for a type that the application added.
 *
 * @example
 * ` + "```ts" + `
 * entityOf(event); // { kind: 'goal', id: 'goal-4f1c' }
 * ` + "```" + `
 */
export function entityOf(event: RealtimeEvent<CatalogueType>): EntityRef;
export function entityOf(event: RealtimeEvent): EntityRef | undefined;
export function entityOf(event: RealtimeEvent): EntityRef | undefined {
  const { type } = event;
  return isCatalogueType(type) ? { kind: columns[type][0], id: column(event, 1) as string } : undefined;
}

/** The id of the user who did it; undefined for a type that the application added. */
export function actorOf(event: RealtimeEvent<CatalogueType>): string;
export function actorOf(event: RealtimeEvent): string | undefined;
export function actorOf(event: RealtimeEvent): string | undefined {
  return column(event, 2);
}

/** The id of the goal it belongs to, where the producer sent it. */
export function goalIdOf(event: RealtimeEvent): string | undefined {
  return column(event, 3);
}

/** When the payload says it happened; undefined for a type that the application added. */
export function timeOf(event: RealtimeEvent<CatalogueType>): string;
export function timeOf(event: RealtimeEvent): string | undefined;
export function timeOf(event: RealtimeEvent): string | undefined {
  return column(event, 4);
}

/**
 * Whether a value is the envelope of an event: of the type given, else of any type of the catalogue.
 *
 * It looks at the envelope alone, because the server has checked the payload; to check it again use validateEvent.
 *
 * @example
 * ` + "```ts" + `
 * const message: unknown = JSON.parse(text);
 * if (isEvent(message, 'goal.completed')) console.log(message.data.completedBy);
 * ` + "```" + `
 */
export function isEvent<T extends RealtimeEventType = CatalogueType>(value: unknown, type?: T): value is RealtimeEvent<T> {
  if (typeof value !== 'object' || value === null) return false;
  const e = value as Record<string, unknown>;
  return (
    (type === undefined ? isCatalogueType(e.type) : e.type === type) &&
    typeof e.timestamp === 'string' &&
    typeof e.eventId === 'string' &&
    typeof e.tenantId === 'string' &&
    Number.isSafeInteger(e.sequence) &&
    typeof e.data === 'object' &&
    e.data !== null &&
    !Array.isArray(e.data)
  );
}
`

const protocolTypes = `
/** A type of control message. */
export type ControlType = keyof ControlMap;

/** The envelope of a control message. Checking ` + "`type`" + ` narrows ` + "`data`" + `. */
export type ControlMessage<T extends ControlType = ControlType> = T extends ControlType
  ? {
      readonly type: T;
      /** The server's time: RFC 3339, UTC, exactly three decimals. */
      readonly timestamp: string;
      readonly data: Readonly<ControlMap[T]>;
    }
  : never;

/**
 * API Gateway's own frame on the same socket: recognised by its three keys, never meant for the application.
 */
export interface GatewayFrame {
  readonly message: string;
  readonly connectionId: string;
  readonly requestId: string;
}
`

const validateFunctions = `
/** One broken rule. */
export type ValidationIssue = {
  /** Where, such as ` + "`data.newStatus`" + `; empty for the value as a whole. */
  readonly path: string;
  /** A stable word: required, type, known, length, enum, range, date, timestamp. */
  readonly rule: string;
  /** For a developer. Holds no value of the event. */
  readonly message: string;
};

const isTimestamp = (text: string): boolean => {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? Date.parse(text) : NaN;
  return ms === ms && new Date(ms).toISOString() === text;
};

/** The rule that a value breaks. */
const broken = (kind: string, value: unknown): string | undefined => {
  if (kind === 'b') return typeof value === 'boolean' ? undefined : 'type';
  if (/^[nzqp]$/.test(kind)) {
    if (kind === 'n' || kind === 'p' ? !Number.isFinite(value) : !Number.isSafeInteger(value)) return 'type';
    return (kind === 'p' && ((value as number) < 0 || (value as number) > 100)) || (kind === 'q' && (value as number) < 1) ? 'range' : undefined;
  }
  if (typeof value !== 'string') return 'type';
  if (kind[0] === '=') return kind.slice(1).split('|').indexOf(value) < 0 ? 'enum' : undefined;
  if (kind === 't') return isTimestamp(value) ? undefined : 'timestamp';
  if (kind === 'd') return isTimestamp(value + 'T00:00:00.000Z') ? undefined : 'date';
  const limit = limits[kind];
  return limit && (!value || [...value].length > limit) ? 'length' : undefined;
};

const wordsOf = (kind: string): string => (kind[0] === '=' ? 'be one of ' + kind.slice(1).split('|').join(', ') : words[kind] || 'be a string');

const check = (fields: string, value: Record<string, unknown>, prefix: string, issues: ValidationIssue[]): void => {
  for (const field of fields.split(' ')) {
    const [, name, optional, kind, nullable] = /^(\w+)(\??):(.+?)(~?)$/.exec(field) as unknown as [string, string, string, string, string];
    const add = (rule: string, at = '', must = wordsOf(kind) + (nullable && ', or null')): void => {
      const path = prefix + name + at;
      issues.push({ path, rule, message: path + ' must ' + must });
    };
    const v = value[name];
    if (v === undefined) optional || add('required', '', 'be present');
    else if (v === null && nullable) continue;
    else if (kind !== 'l') {
      const rule = broken(kind, v);
      rule && add(rule);
    } else if (!Array.isArray(v)) add('type');
    else
      v.forEach((item, i) => {
        typeof item === 'string' || add('type', '[' + i + ']');
      });
  }
};

/**
 * Holds a value to the catalogue: envelope and payload. Fields the catalogue does not know are ignored.
 *
 * @example
 * ` + "```ts" + `
 * const result = validateEvent(JSON.parse(text));
 * if (!result.ok) console.warn(result.issues.map((issue) => issue.message));
 * ` + "```" + `
 */
export function validateEvent(
  value: unknown,
): { readonly ok: true; readonly event: RealtimeEvent<CatalogueType> } | { readonly ok: false; readonly issues: readonly ValidationIssue[] } {
  const issues: ValidationIssue[] = [];
  const isObject = (v: unknown, path: string): v is Record<string, unknown> => {
    const ok = typeof v === 'object' && v !== null && !Array.isArray(v);
    ok || issues.push({ path, rule: v === undefined ? 'required' : 'type', message: (path || 'an event') + ' must be an object' });
    return ok;
  };
  if (isObject(value, '')) {
    check(envelope, value, '', issues);
    const { type, data } = value;
    if (isObject(data, 'data') && isCatalogueType(type)) check(payloads[type], data, 'data.', issues);
    if (typeof type === 'string' && !isCatalogueType(type)) issues.push({ path: 'type', rule: 'known', message: 'type must be a type of the catalogue' });
  }
  return issues.length ? { ok: false, issues } : { ok: true, event: value as RealtimeEvent<CatalogueType> };
}
`

const sentencesFunctions = `
/** Names for a sentence, where the application knows better than the event. */
export interface SentenceNames {
  readonly actor?: string | undefined;
  readonly entity?: string | undefined;
  readonly goal?: string | undefined;
}

const fill = (template: string, event: RealtimeEvent<CatalogueType>, names: SentenceNames): string => {
  const data = event.data as object as Readonly<Record<string, string | undefined>>;
  const { kind } = entityOf(event);
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const goal = names.goal || data.goalTitle;
    if (name === 'actor') return names.actor || data.actorName || someone;
    if (name === 'goal') return goal || nouns.goal;
    if (name === 'entity') return names.entity || data.title || (kind === 'goal' && goal) || nouns[kind];
    return String(data[name]).replace(/^[a-z]+(_[a-z]+)+$/, (value) => value.replace(/_/g, ' '));
  });
};

/**
 * What a feed says about an event, in English. Names come from ` + "`names`" + `, else from the event, else they are "Someone", "an action".
 *
 * @example
 * ` + "```ts" + `
 * sentenceOf(event, { actor: 'Ana Duarte' }); // "Ana Duarte completed Call the ten largest customers"
 * ` + "```" + `
 */
export const sentenceOf = (event: RealtimeEvent<CatalogueType>, names: SentenceNames = {}): string => fill(sentences[event.type], event, names);

/**
 * The same in few words, in English, for a toast that names entity and actor below them.
 *
 * @example
 * ` + "```ts" + `
 * titleOf(event); // "Action completed"
 * ` + "```" + `
 */
export const titleOf = (event: RealtimeEvent<CatalogueType>): string => fill(titles[event.type], event, {});
`
