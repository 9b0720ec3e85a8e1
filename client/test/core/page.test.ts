// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { browserPage } from '../../src/core/page.js';

const fire = (target: EventTarget, type: string, more: object = {}): boolean => target.dispatchEvent(Object.assign(new Event(type), more));

test('what the document and the window tell, by our names, until it is not listened to', () => {
  const heard: string[] = [];
  const stop = browserPage().subscribe((event) => heard.push(event));
  const all = (): void => {
    fire(document, 'visibilitychange');
    for (const type of ['freeze', 'resume']) fire(document, type);
    for (const type of ['online', 'offline']) fire(window, type);
    for (const type of ['pointerdown', 'keydown']) fire(document.body, type);
    for (const type of ['pagehide', 'pageshow']) for (const persisted of [true, false]) fire(window, type, { persisted });
  };
  all();
  expect(heard).toEqual([document.visibilityState, 'freeze', 'resume', 'online', 'offline', 'interaction', 'interaction', 'hide', 'show']);
  stop();
  all();
  expect(heard.length).toBe(9);
});
