/** What the client costs and how fast it is back. One table after the other; nothing is asserted. */
import { createRealtimeClient } from '../src/core/client.js';
import { calm } from '../test/model/calm.js';
import { play, scenarioOf } from '../test/model/world.js';
import { dispatch } from './dispatch.js';
import { reconnect } from './reconnect.js';
import { wire } from './wire.js';

const table = (...rows: readonly (readonly (string | number)[])[]): void => {
  const [head = [], ...rest] = rows;
  console.log('');
  for (const cells of [head, head.map((_, i) => (i ? '---:' : '---')), ...rest]) console.log(`| ${cells.join(' | ')} |`);
};

const SHAPES: readonly (readonly [string, number])[] = [
  ['an event a frame', 1],
  ['100 events a frame', 100],
];
table(
  ['10,000 events/s, each to 100 subscribers', 'µs of CPU an event', 'of a core'],
  ...SHAPES.map(([name, size]) => {
    const us = dispatch(size);
    return [name, us.toFixed(1), `${us.toFixed(1)} %`];
  }),
);

const times = await reconnect(2000);
const at = (share: number): string => String(Math.round(times[Math.floor(share * times.length)] as number));
table(['back after a clean drop: handshake 300 ms, round trip 100 ms, 2,000 seeds', 'mean', 'p50', 'p99', 'most'], ['ms', Math.round(times.reduce((a, b) => a + b) / times.length), at(0.5), at(0.99), at(0.9999)]);

const heap = (): number => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 1e6;
};
const heaps: number[] = [];
let rotations = 0;
await calm(createRealtimeClient, 24, (stats) => {
  heaps.push(heap());
  rotations = stats.rotations;
});
table(['24 simulated hours, 720 events', ''], ['rotations', rotations], ["heap after 24 h less heap after 1 h, MB, with the model server's log of events", ((heaps[23] as number) - (heaps[0] as number)).toFixed(2)]);

let connected = 0;
let total = 0;
for (let seed = 1; seed <= 1000; seed++) {
  const outcome = await play(createRealtimeClient, scenarioOf(seed));
  connected += outcome.connectedMs;
  total += outcome.totalMs;
}
table(['1,000 seeds of drops, outages, sleep, expired tokens', ''], ['share of the time connected', `${((100 * connected) / total).toFixed(1)} %`]);

const lines = await wire(2000);
table(['server to handler, loopback, one process, 2,000 events one after the other', 'bytes an event', 'p50, ms', 'p99, ms', 'ms of CPU an event'], ...lines.map((line) => [line.name, line.bytes.toFixed(0), line.p50.toFixed(3), line.p99.toFixed(3), line.cpu.toFixed(3)]));
process.exit();
