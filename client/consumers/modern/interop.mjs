// Both forms in one process, and on a server: every entry loads without a browser, has the same names, and all share one context.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';

const require = createRequire(import.meta.url);
const name = '@purposepath/realtime';
const { exports } = JSON.parse(readFileSync(require.resolve(name + '/package.json'), 'utf8'));
for (const entry of Object.keys(exports).filter((path) => !/\.(json|css)$/.test(path))) {
  const module = await import(name + entry.slice(1));
  const common = require(name + entry.slice(1));
  assert.deepEqual(Object.keys(module).sort(), Object.keys(common).sort(), entry);
  assert.ok(Object.keys(module).length, entry);
}

const { RealtimeProvider } = require(name + '/react');
const { useRealtimeConnection } = await import(name + '/react');
const State = () => useRealtimeConnection().connectionState;
const props = { url: 'ws://localhost:5055', sessionKey: 'demo/ana', getToken: () => 'token' };
assert.equal(renderToString(createElement(RealtimeProvider, props, createElement(State))), 'disconnected');
