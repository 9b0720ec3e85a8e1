import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';
import { useClient } from '../../react/useRealtime.js';
import { useLatest } from '../../react/useRealtimeEvent.js';
import { useLabels } from '../labels.js';
import { SHOWN } from './useLiveBadge.js';

const words = { live: 'Live' };

/** Props of {@link LiveBadge}. */
export interface LiveBadgeProps {
  /**
   * Whether it is there. Its place is kept while it is not.
   *
   * @defaultValue true
   */
  show?: boolean | undefined;
  /**
   * Milliseconds after which it leaves by itself, until `show` is false and true again; 0 = stays.
   *
   * @defaultValue 3000
   */
  autoHideDuration?: number | undefined;
  /** It has left by itself. */
  onHide?: (() => void) | undefined;
  /** @defaultValue 'md' */
  size?: 'sm' | 'md' | 'lg' | undefined;
  /** @defaultValue the provider's label `live` */
  label?: string | undefined;
  className?: string | undefined;
}

/**
 * Says for a moment that what stands beside it has just changed. Renders nothing while the flag is off.
 *
 * @example
 * ```tsx
 * const { badgeProps } = useLiveBadge({ eventType: 'goal.*' });
 * return <LiveBadge {...badgeProps} size="sm" />;
 * ```
 */
export function LiveBadge({ show = true, autoHideDuration = SHOWN, onHide, size = 'md', label, className }: LiveBadgeProps): ReactElement | null {
  const client = useClient();
  const { live } = useLabels(words);
  const [left, setLeft] = useState(false);
  const latest = useLatest(onHide);
  useEffect(() => {
    if (!show || !autoHideDuration) return undefined;
    const timer = setTimeout(() => {
      setLeft(true);
      if (latest.current) latest.current();
    }, autoHideDuration);
    return () => {
      clearTimeout(timer);
      setLeft(false);
    };
  }, [show, autoHideDuration, latest]);
  return (
    client && (
      <span className={'rt-badge' + (className ? ' ' + className : '')} data-size={size} data-shown={(show && !left) || undefined}>
        <span className="rt-badge-disc" />
        {label ?? live}
      </span>
    )
  );
}
