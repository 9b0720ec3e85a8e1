import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CatalogueType } from '../src/generated/events.js';
import { samples } from '../src/generated/samples.js';
import { ended, said } from './process.js';

const root = join(import.meta.dirname, '../..');

/** What the stack is to do wrong: see `/_local/faults` in docs/LOCAL.md. */
interface Fault {
  readonly target: 'connections' | 'function' | 'table' | 'queue';
  readonly match: string;
  readonly answer: string;
}

/** A running local stack, as domain services and tests see it. */
export class Stack {
  constructor(readonly url: string) {}

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Puts one event on the bus, the sample of its type unless `data` says otherwise, and returns its id. */
  async publish(tenantId: string, type: CatalogueType = 'goal.resumed', data: object = {}): Promise<string> {
    const eventId = randomUUID();
    const bus = await this.bus();
    const answer = await this.post('/', { Entries: [{ EventBusName: bus, Source: 'purposepath.browser', DetailType: type, Detail: JSON.stringify({ ...samples[type], ...data, tenantId, eventId }) }] }, 'AWSEvents.PutEvents');
    const { FailedEntryCount: failed } = (await answer.json()) as { FailedEntryCount: number };
    if (failed) throw new Error(`the bus refused ${type}`);
    return eventId;
  }

  async fault(fault: Fault): Promise<void> {
    await this.post('/_local/faults', fault);
  }

  /** Whether a fault of this match has yet to strike. */
  async pending(match: string): Promise<boolean> {
    const answer = await fetch(this.url + '/_local/faults');
    return (await answer.text()).includes(match);
  }

  /** Closes a connection from the server's side, as API Gateway does when told to. */
  async close(connectionId: string): Promise<void> {
    const answer = await fetch(`${this.url}/@connections/${encodeURIComponent(connectionId)}`, { method: 'DELETE', headers: { Authorization: 'AWS4-HMAC-SHA256 none: the stack checks no signature' } });
    if (!answer.ok) throw new Error(`DELETE of connection ${connectionId}: status ${answer.status}`);
  }

  private async bus(): Promise<string> {
    const answer = await fetch(this.url + '/_local/info');
    return ((await answer.json()) as { eventBus: string }).eventBus;
  }

  private async post(path: string, body: object, target?: string): Promise<Response> {
    const answer = await fetch(this.url + path, { method: 'POST', body: JSON.stringify(body), headers: target ? { 'X-Amz-Target': target, 'Content-Type': 'application/x-amz-json-1.1' } : {} });
    if (!answer.ok) throw new Error(`POST ${path}: status ${answer.status}: ${await answer.text()}`);
    return answer;
  }
}

/**
 * Starts a stack of its own on a free port. `name` tells its folder from those of others that run at the same time.
 *
 * `make test-browsers` has built `.build/rtlocal`.
 */
export const startStack = async (name: string, ...flags: readonly string[]): Promise<{ readonly stack: Stack; readonly stop: () => Promise<void> }> => {
  const folder = join(root, '.build/browsers', name);
  mkdirSync(folder, { recursive: true });
  for (const needed of ['samconfig.toml', 'local']) {
    rmSync(join(folder, needed), { force: true });
    symlinkSync(join(root, needed), join(folder, needed));
  }
  const child = spawn(join(root, '.build/rtlocal'), ['run', '--port', '0', '--dir', folder, '--template', 'template.yaml', ...flags], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const [, url = ''] = await said(child, /AWS APIs +(http:\S+)/);
  return {
    stack: new Stack(url),
    stop: async () => {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
};
