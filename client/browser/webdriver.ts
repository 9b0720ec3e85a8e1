/** A client of W3C WebDriver, as much of it as the tests use: https://www.w3.org/TR/webdriver2 */
import type { Key, View } from './view.js';

const KEYS: Readonly<Record<Key, string>> = { Tab: '\uE004', Enter: '\uE007', ' ': ' ', Escape: '\uE00C', PageUp: '\uE00E', PageDown: '\uE00F' };

/** The property that makes an object a reference to an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** A session with a driver that listens at a URL. */
export class Session implements View {
  private constructor(
    private readonly url: string,
    readonly capabilities: Readonly<Record<string, unknown>>,
  ) {}

  static async begin(driver: string, capabilities: object): Promise<Session> {
    const { sessionId, capabilities: got } = (await command('POST', `${driver}/session`, { capabilities: { alwaysMatch: capabilities } })) as { sessionId: string; capabilities: Record<string, unknown> };
    return new Session(`${driver}/session/${sessionId}`, got);
  }

  goto(url: string): Promise<unknown> {
    return this.post('url', { url });
  }

  async evaluate<R, A = undefined>(run: (arg: A) => R, arg?: A): Promise<Awaited<R>> {
    return (await this.post('execute/sync', { script: `return (${run.toString()})(...arguments)`, args: [arg] })) as Awaited<R>;
  }

  async click(selector: string): Promise<void> {
    const found = (await this.post('element', { using: 'css selector', value: selector })) as Record<string, string>;
    await this.post(`element/${found[ELEMENT]}/click`, {});
  }

  press(key: Key): Promise<unknown> {
    const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value: KEYS[key] }));
    return this.post('actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  async named(role: string, name: string): Promise<number> {
    const all = (await this.post('elements', { using: 'css selector', value: 'body :not(svg *)' })) as Record<string, string>[];
    // The driver has no answer for an element that screen readers don't see.
    const computed = (what: string, found: Record<string, string>): Promise<unknown> => this.get(`element/${found[ELEMENT]}/computed${what}`).catch(() => undefined);
    const matches = await Promise.all(all.map(async (found) => (await computed('role', found)) === role && (await computed('label', found)) === name));
    return matches.filter(Boolean).length;
  }

  end(): Promise<unknown> {
    return command('DELETE', this.url);
  }

  private get(path: string): Promise<unknown> {
    return command('GET', `${this.url}/${path}`);
  }

  private post(path: string, body: object): Promise<unknown> {
    return command('POST', `${this.url}/${path}`, body);
  }
}

const command = async (method: string, url: string, body?: object): Promise<unknown> => {
  const answer = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = (await answer.json()) as { value: unknown };
  if (answer.ok) return value;
  const { error, message } = value as { error: string; message: string };
  throw new Error(`${method} ${new URL(url).pathname}: ${error}: ${message}`);
};
