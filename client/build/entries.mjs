/**
 * The package's entry points: the one list from which its exports, stub folders, declarations and checks are made.
 *
 * - `source`: the module below src/.
 * - `client`: holds hooks or components, so that `"use client"` must stand first in it.
 * - `tools`: for tests and development only; not counted in what an application may weigh.
 */
export const entries = [
  { name: '.', source: 'index' },
  { name: './react', source: 'react/index', client: true },
  { name: './ui', source: 'ui/index', client: true },
  { name: './toasts', source: 'toasts/index', client: true },
  { name: './query', source: 'query/index', client: true },
  { name: './react-native', source: 'react-native/index' },
  { name: './debug', source: 'debug/index', client: true, tools: true },
  { name: './testing', source: 'testing/index', tools: true },
];

/** Where an entry is, beside the package's name. */
export const folderOf = ({ name }) => name.slice(2);
