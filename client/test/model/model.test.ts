import { expect, test } from 'vitest';
import { createRealtimeClient } from '../../src/core/client.js';
import { play, scenarioOf, shrink } from './world.js';

const env = process.env;

test('nothing is lost, doubled or out of order, or exactly one resync says so', { timeout: 3_600_000 }, async () => {
  // SEED plays one and prints it; SEEDS plays so many, from FROM on.
  const first = Number(env.SEED || env.FROM || 1);
  const last = env.SEED ? first : first - 1 + Number(env.SEEDS || 1000);
  let connected = 0;
  let total = 0;
  let events = 0;
  let resyncs = 0;
  for (let seed = first; seed <= last; seed++) {
    const scenario = scenarioOf(seed);
    const outcome = await play(createRealtimeClient, scenario, !!env.SEED);
    if (outcome.broken !== undefined) {
      const least = await shrink(createRealtimeClient, scenario);
      const { broken, log } = await play(createRealtimeClient, least, true);
      throw new Error([`seed ${seed} breaks: ${broken}. Again: SEED=${seed} npx vitest run test/model`, JSON.stringify(least.net), JSON.stringify(least.ops), ...log.slice(-150)].join('\n'));
    }
    if (env.SEED) console.log(outcome.log.join('\n'));
    connected += outcome.connectedMs;
    total += outcome.totalMs;
    events += outcome.delivered;
    resyncs += outcome.resyncs;
  }
  console.log(`${last - first + 1} seeds: ${events} events in order, ${resyncs} resyncs, connected ${((100 * connected) / total).toFixed(1)} % of the time`);
  expect(events).toBeGreaterThan(0);
});
