/** What the mock server is told, on its standard input and in scenario files: one command a line. */
import { EventTypes, isCatalogueType } from '../generated/events.js';
import type { CatalogueType } from '../generated/events.js';

/** One line, understood. */
export type Command =
  | { readonly is: 'emit'; readonly type: CatalogueType; readonly detail: Readonly<Record<string, unknown>> }
  | { readonly is: 'drop' }
  | { readonly is: 'gap'; readonly reason: 'too-old' | 'too-many' }
  | { readonly is: 'expire' }
  | { readonly is: 'wait'; readonly ms: number };

export const COMMANDS = 'emit TYPE [JSON], drop, gap [too-old | too-many], expire, wait MILLISECONDS';

/** Milliseconds of the longest wait: what a timer holds. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** The types that a list such as `goal.*,issue.created` names. */
export function typesOf(list: string): readonly CatalogueType[] {
  const all = Object.values(EventTypes);
  const found = list.split(',').flatMap((name) => {
    const wanted = name.trim();
    const matching = all.filter((type) => type === wanted || wanted === '*' || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1))));
    if (!matching.length) throw new Error(`no event type ${JSON.stringify(wanted)}; there are ${all.join(', ')}`);
    return matching;
  });
  return [...new Set(found)];
}

/** Reads one line; undefined for an empty one and for a comment (`# …`). An error says what is wrong with it. */
export function parseCommand(line: string): Command | undefined {
  const [, name = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) || [];
  if (!name || name[0] === '#') return undefined;
  if (name === 'emit') {
    const [, type = '', text = ''] = /^(\S*)\s*(.*)$/s.exec(rest) || [];
    if (!isCatalogueType(type)) throw new Error(`emit: no event type ${JSON.stringify(type)}; there are ${Object.values(EventTypes).join(', ')}`);
    let detail: unknown = {};
    try {
      if (text) detail = JSON.parse(text);
    } catch (error) {
      throw new Error(`emit ${type}: ${(error as Error).message}`);
    }
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) throw new Error(`emit ${type}: what follows the type must be a JSON object`);
    return { is: 'emit', type, detail: detail as Record<string, unknown> };
  }
  if ((name === 'drop' || name === 'expire') && !rest) return { is: name };
  if (name === 'gap' && (!rest || rest === 'too-old' || rest === 'too-many')) return { is: 'gap', reason: rest === 'too-many' ? rest : 'too-old' };
  if (name === 'wait' && /^\d+$/.test(rest) && Number(rest) <= LONGEST_WAIT) return { is: 'wait', ms: Number(rest) };
  throw new Error(`${JSON.stringify(line.trim())} is no command; there are ${COMMANDS}`);
}

/** Reads a scenario. An error names the line. */
export function parseScenario(text: string): readonly Command[] {
  return text.split('\n').flatMap((line, i) => {
    try {
      return parseCommand(line) || [];
    } catch (error) {
      throw new Error(`line ${i + 1}: ${(error as Error).message}`);
    }
  });
}
