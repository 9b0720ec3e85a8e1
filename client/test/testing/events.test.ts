import { expect, test } from 'vitest';
import { makeEvent } from '../../src/testing/index.js';

test('a sample by another actor does not keep the name of its own', () => {
  const { createdBy, actorName } = makeEvent('goal.created').data;
  expect(actorName).toBeTruthy();
  expect(makeEvent('goal.created', { title: 'Ship' }).data).toMatchObject({ createdBy, actorName, title: 'Ship' });
  expect(makeEvent('goal.created', { createdBy: 'zoe' }).data).not.toHaveProperty('actorName');
  expect(makeEvent('goal.created', { createdBy: 'zoe', actorName: 'Zoe' }).data).toMatchObject({ createdBy: 'zoe', actorName: 'Zoe' });
});
