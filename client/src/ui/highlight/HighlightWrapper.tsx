import type { ElementType, HTMLAttributes, ReactElement } from 'react';
import { useHighlight } from './useHighlight.js';
import type { UseHighlightOptions } from './useHighlight.js';

/** Props of {@link HighlightWrapper}; all others that any element has go to its element. For one with props of its own, such as a link's `href`, there is {@link useHighlight}. */
export interface HighlightWrapperProps extends UseHighlightOptions, HTMLAttributes<HTMLElement> {
  /**
   * The element, or a component that takes a ref.
   *
   * @defaultValue 'div'
   */
  as?: ElementType | undefined;
  /** @defaultValue 'info' */
  tone?: 'info' | 'success' | 'warning' | 'danger' | undefined;
}

/**
 * Highlights a card or row for a moment when its entity changes. Its children don't render again for it, and nothing moves.
 *
 * @example
 * ```tsx
 * <HighlightWrapper as="tr" entity={{ kind: 'action', id: action.id }}>
 *   <td>{action.title}</td>
 * </HighlightWrapper>
 * ```
 */
export function HighlightWrapper({ as: Element = 'div', entity, eventType, trigger, duration, own, tone, children, ...rest }: HighlightWrapperProps): ReactElement | null {
  const ref = useHighlight<HTMLElement>({ entity, eventType, trigger, duration, own });
  return (
    <Element {...rest} ref={ref} data-rt-tone={tone}>
      {children}
    </Element>
  );
}
