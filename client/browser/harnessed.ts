import { expect } from 'vitest';
import type { Login, Told, Tuning } from './page/page.js';
import type { View } from './view.js';

/** The test page in any browser, and what its application was told. */
export class Harnessed {
  constructor(readonly view: Pick<View, 'evaluate'>) {}

  told(): Promise<Told> {
    return this.view.evaluate(() => window.harness.told);
  }

  /** The ids of the events it was told, in that order. */
  async ids(): Promise<readonly string[]> {
    return (await this.told()).events.map(({ id }) => id);
  }

  /** The states its connection was in, in that order, each once in a row. */
  async states(): Promise<readonly string[]> {
    const states = (await this.told()).statuses.map((status) => status.state + ('stale' in status && status.stale ? ', stale' : ''));
    return states.filter((state, i) => state !== states[i - 1]);
  }

  async connectionId(): Promise<string> {
    return this.view.evaluate(() => {
      const status = window.harness.client.getStatus();
      return 'connectionId' in status ? status.connectionId : '';
    });
  }

  async connect(login: Login, tuning: Tuning = {}, loading = false): Promise<void> {
    await this.view.evaluate(([as, options, load]) => window.harness.connect(as, options, load), [login, tuning, loading] as const);
    await expect.poll(() => this.view.evaluate(() => window.harness.client.getStatus().state)).toBe('connected');
  }
}
