/** The documentation as the tests read it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** Every page that a reader is led to. */
export const pages = (): readonly string[] => [
  'README.md',
  'client/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** A page's text; what stands in code blocks is left out, its lines stay. */
export function proseOf(page: string): string {
  let inCode = false;
  return readFileSync(join(root, page), 'utf8')
    .split('\n')
    .map((line) => {
      const fence = line.startsWith('```');
      if (fence) inCode = !inCode;
      return fence || inCode ? '' : line;
    })
    .join('\n');
}

/** What a heading is called in a link, as GitHub makes it. */
const slugOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replace(/ /g, '-');

/** The names by which links reach a page's headings. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(page).matchAll(/^#{1,6} +(.+?)#* *$/gm)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Links of a page that lead nowhere. */
export function brokenLinksOf(page: string): readonly string[] {
  const text = proseOf(page).replace(/`[^`]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path ? join(dirname(page), path) : page;
    const file = join(root, target);
    if (!existsSync(file)) return [link];
    return anchor !== undefined && (!statSync(file).isFile() || !anchorsOf(target).has(anchor)) ? [link] : [];
  });
}

/** A section of a page: what stands below its heading, up to the next heading of any level. */
export interface Section {
  readonly heading: string;
  readonly text: string;
}

export const sectionsOf = (page: string): readonly Section[] =>
  proseOf(page)
    .split(/^(?=#{1,6} )/m)
    .map((part) => {
      const [heading = '', ...rest] = part.split('\n');
      return { heading: heading.replace(/^#+ +/, ''), text: rest.join('\n') };
    });

/** The rows of a section's tables, without heads; each cell without its backticks. */
export const rowsOf = ({ text }: Section): readonly (readonly string[])[] => {
  const rows: string[][] = [];
  for (const line of text.split('\n')) {
    if (/^\|[-:| ]+\|$/.test(line)) rows.pop();
    else if (line.startsWith('|'))
      rows.push(
        line
          .slice(1, line.lastIndexOf('|'))
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      );
  }
  return rows;
};

/** The names in a cell such as `` `onUnknown`, `onInvalid` ``. */
export const namesIn = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
