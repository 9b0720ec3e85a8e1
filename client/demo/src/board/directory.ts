import type { EntityRef } from '@purposepath/realtime';
import { apply } from '../../domain/apply.js';
import type { DomainEvent, State } from '../../domain/state.js';

/** Titles and links of what the board shows, for toasts and feeds: they stand above it, and ask when something happens. */
export interface Directory {
  update(state: State): void;
  /** Something has just been created, and will be asked for at once. */
  hear(event: DomainEvent): void;
  resolve(this: void, entity: EntityRef): { readonly title: string; readonly href: string } | undefined;
}

export function createDirectory(): Directory {
  let state: State | undefined;
  return {
    update: (next) => void (state = next),
    hear: (event) => void (state &&= apply(state, event)),
    resolve({ kind, id }) {
      const entity: { readonly title: string; readonly goalId?: string | undefined } | undefined = state?.[`${kind}s`].find((one) => one.id === id);
      return entity && { title: entity.title, href: kind === 'goal' ? `#/goals/${id}` : `#/goals/${entity.goalId ?? ''}/${id}` };
    },
  };
}
