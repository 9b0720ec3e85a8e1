import type { State } from '../../domain/state.js';

const sorted = <E extends { readonly id: string }>(list: readonly E[]): readonly E[] => [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
/** JSON in which the order of members does not count. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) => (typeof member === 'object' && member !== null && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member));

/** Whether two states say the same, whatever the order in which they came about. */
export const isSame = (a: State, b: State): boolean => (['goals', 'actions', 'issues', 'measures'] as const).every((kind) => text(sorted<{ readonly id: string }>(a[kind])) === text(sorted<{ readonly id: string }>(b[kind])));
