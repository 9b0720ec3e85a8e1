import { lazy, Suspense, useRef, useState } from 'react';
import type { ReactElement } from 'react';
import type { BoardControl } from '../board/useBoard.js';
import type { Server } from '../server/server.js';
import { BreakDrawer } from './BreakDrawer.js';
import { DomainDrawer } from './DomainDrawer.js';

/** Props of {@link Tools}. */
export interface ToolsProps {
  readonly server: Server;
  readonly control: BoardControl;
  readonly enabled: boolean;
  readonly onEnabled: (enabled: boolean) => void;
}

const drawers = { domain: 'Domain service', break: 'Break the connection' } as const;
type Name = keyof typeof drawers;
const names: readonly Name[] = ['domain', 'break'];

/** For developers: a production build has nothing of it. */
const RealtimeDebugPanel = import.meta.env.DEV ? lazy(() => import('@purposepath/realtime/debug')) : undefined;

/** What is no part of the product: the other side of the board, in two drawers below it. */
export function Tools({ server, control, enabled, onEnabled }: ToolsProps): ReactElement {
  const [open, setOpen] = useState<Name>();
  const [isDebugging, setIsDebugging] = useState(false);
  const buttons = useRef<{ readonly [N in Name]?: HTMLButtonElement | null }>({});
  const close = (): void => {
    if (open) buttons.current[open]?.focus();
    setOpen(undefined);
  };
  return (
    <footer className="tools">
      {/* Closed ones go on: somebody may be away, or at work. */}
      {names.map((name) => (
        <section
          key={name}
          className="drawer"
          id={`drawer-${name}`}
          aria-label={drawers[name]}
          hidden={open !== name}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || event.defaultPrevented) return;
            event.preventDefault();
            close();
          }}
        >
          {name === 'domain' ? <DomainDrawer server={server} control={control} /> : <BreakDrawer server={server} enabled={enabled} onEnabled={onEnabled} />}
        </section>
      ))}
      <div className="tools-bar" role="group" aria-label="Demo">
        {names.map((name) => (
          <button
            key={name}
            type="button"
            className="tool"
            ref={(button) => {
              buttons.current = { ...buttons.current, [name]: button };
            }}
            aria-expanded={open === name}
            aria-controls={`drawer-${name}`}
            onClick={() => setOpen(open === name ? undefined : name)}
          >
            {drawers[name]}
          </button>
        ))}
        {RealtimeDebugPanel && (
          <button type="button" className="tool" aria-pressed={isDebugging} onClick={() => setIsDebugging(!isDebugging)}>
            Debug panel
          </button>
        )}
      </div>
      {RealtimeDebugPanel && isDebugging && (
        <Suspense fallback={null}>
          <RealtimeDebugPanel defaultOpen corner="top-start" />
        </Suspense>
      )}
    </footer>
  );
}
