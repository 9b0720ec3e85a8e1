/**
 * Takes the examples out of the README and the guides: every block fenced as ts or tsx.
 *
 * A guide is a folder. A block with a title (```tsx title="src/App.tsx") is the file of that name in it, which the guide's other blocks can
 * import; one without is a module of its own. Each stands on the lines that it has in its page, so that what tsc says of it names the line.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const recipes = 'docs/recipes';

/** The pages whose examples are compiled. */
export const pages = () => ['README.md', 'client/README.md', 'docs/CLIENT.md', 'docs/HOOKS.md', 'docs/MIGRATING-FROM-SSE.md', ...readdirSync(join(root, recipes)).map((name) => `${recipes}/${name}`)];

const folderOf = (page) => page.replace(/^docs\/(recipes\/)?|\.md$/g, '').toLowerCase();

/** The examples of a page, as paths below the guide's folder with their texts. */
function examplesOf(page) {
  const files = new Map();
  let open;
  readFileSync(join(root, page), 'utf8')
    .split('\n')
    .forEach((line, i) => {
      if (open) {
        if (line !== '```') return void open.lines.push(line);
        if (files.has(open.path)) throw new Error(`${page}:${open.at}: ${open.path} is a second time in this guide`);
        files.set(open.path, '\n'.repeat(open.at) + open.lines.join('\n') + '\n');
        open = undefined;
        return;
      }
      if (!/^```tsx?\b/.test(line)) return;
      const [, kind, , title] = /^```(tsx?)( title="([\w./[\]-]+)")?$/.exec(line) || [];
      if (!kind) throw new Error(`${page}:${i + 1}: ${line} is neither \`\`\`${'tsx'} nor \`\`\`${'tsx'} title="src/App.tsx"`);
      open = { at: i + 1, path: title || `line-${i + 1}.${kind}`, lines: [] };
    });
  if (open) throw new Error(`${page}:${open.at}: the block has no end`);
  return files;
}

/** Writes the examples below `out`, and returns how many there are. */
export function extract(out, of = pages()) {
  let count = 0;
  for (const page of of) {
    for (const [path, text] of examplesOf(page)) {
      const file = join(out, folderOf(page), path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      count++;
    }
  }
  if (!count) throw new Error('the guides have no examples');
  return count;
}
