import { useEffect, useId, useInsertionEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { KeyboardEvent, ReactElement } from 'react';
import type { RealtimeClient } from '../core/options.js';
import { useIsBrowser, useSeconds } from '../react/now.js';
import { useClient, useRealtimeStatus } from '../react/useRealtime.js';
import { reportOf } from './details.js';
import { Overview } from './Overview.js';
import { recorderOf } from './recorder.js';
import { dress } from './styles.js';
import { Log, Traffic } from './Traffic.js';

/** Props of {@link RealtimeDebugPanel}. */
export interface RealtimeDebugPanelProps {
  /**
   * Open from the start; otherwise a tab in the corner opens it.
   *
   * @defaultValue false
   */
  defaultOpen?: boolean | undefined;
  /**
   * Its corner; start is left where text runs from left to right.
   *
   * @defaultValue 'bottom-start'
   */
  corner?: 'bottom-start' | 'bottom-end' | 'top-start' | 'top-end' | undefined;
}

const tabs = ['Overview', 'Traffic', 'Log'] as const;

/**
 * What the connection is doing, for developers: state and phase with the reason, the last 100 frames in both directions, positions, gaps and how they closed, latency, counters; and buttons that break and mend it. Tokens are never shown; payloads are, where a frame is opened. "Copy report" copies all but tokens and payloads as JSON.
 *
 * It listens from when it is mounted. It needs a RealtimeProvider above it, and renders nothing on a server.
 *
 * **For development only.** It is an entry of its own, so that a production build that never reaches the import has nothing of it: behind `process.env.NODE_ENV` (webpack, Next.js, Create React App) or `import.meta.env.DEV` (Vite), which the bundler knows when it builds. Its look comes as a constructed stylesheet, to which a Content-Security-Policy needs no exception.
 *
 * @example
 * ```tsx
 * const RealtimeDebugPanel = process.env.NODE_ENV === 'production' ? () => null : lazy(() => import('@purposepath/realtime/debug'));
 *
 * <Suspense fallback={null}><RealtimeDebugPanel /></Suspense>
 * ```
 */
export function RealtimeDebugPanel({ defaultOpen = false, corner = 'bottom-start' }: RealtimeDebugPanelProps): ReactElement | null {
  const client = useClient();
  const state = useRealtimeStatus((status) => status.state);
  const inBrowser = useIsBrowser();
  const [open, setOpen] = useState(defaultOpen);
  const toggle = useRef<HTMLButtonElement>(null);
  useInsertionEffect(dress, []);
  // Also while it is closed: what went wrong has mostly happened before somebody looks.
  useEffect(() => (client ? recorderOf(client).subscribe(() => {}) : undefined), [client]);
  if (!inBrowser) return null;
  const escape = ({ key }: KeyboardEvent): void => {
    if (key !== 'Escape' || !open) return;
    toggle.current?.focus();
    setOpen(false);
  };
  return (
    <section className="rt-debug" data-corner={corner} data-open={open || undefined} aria-label="Realtime debug panel" onKeyDown={escape}>
      <button type="button" className="rt-debug-state" data-state={state} ref={toggle} aria-expanded={open} onClick={() => setOpen(!open)}>
        Realtime: {client ? state : 'off'}
      </button>
      {open && (client ? <Inside client={client} /> : <p>The provider’s flag is off.</p>)}
    </section>
  );
}

function Inside({ client }: { readonly client: RealtimeClient }): ReactElement {
  const id = useId();
  const recorder = recorderOf(client);
  const recording = useSyncExternalStore(recorder.subscribe, recorder.get, recorder.get);
  const now = useSeconds();
  const [tab, setTab] = useState<(typeof tabs)[number]>('Overview');
  const [said, setSaid] = useState('');
  const [report, setReport] = useState<string>();
  const list = useRef<HTMLDivElement>(null);

  const turn = ({ key }: KeyboardEvent): void => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const next = step && tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    if (!next) return;
    setTab(next);
    (list.current?.children[tabs.indexOf(next)] as HTMLElement).focus();
  };
  const probe = (): void => {
    setSaid('Asking');
    void client.probe().then((upToDate) => setSaid(upToDate ? 'Up to date' : 'Not up to date'));
  };
  const copy = (): void => {
    const text = JSON.stringify(reportOf(client, recording, Date.now()), null, 2);
    // Without a secure context there is no clipboard.
    const written = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error('no clipboard'));
    written.then(
      () => setSaid('Copied'),
      () => {
        setSaid('No clipboard: copy it from here');
        setReport(text);
      },
    );
  };
  return (
    <>
      <div role="tablist" aria-label="Views" ref={list} onKeyDown={turn}>
        {tabs.map((name) => (
          <button key={name} type="button" role="tab" id={`${id}${name}`} aria-controls={`${id}panel`} aria-selected={name === tab} tabIndex={name === tab ? 0 : -1} onClick={() => setTab(name)}>
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}panel`} aria-labelledby={`${id}${tab}`} tabIndex={0}>
        {report !== undefined && <textarea readOnly rows={8} aria-label="Report" value={report} onFocus={({ currentTarget }) => currentTarget.select()} />}
        {tab === 'Overview' && <Overview client={client} recording={recording} now={now} />}
        {tab === 'Traffic' && <Traffic frames={recording.frames} />}
        {tab === 'Log' && <Log log={recording.log} />}
      </div>
      <footer>
        <button type="button" disabled={!recording.state?.link} onClick={recorder.drop}>
          Drop connection
        </button>
        <button type="button" onClick={client.retryNow}>
          Retry now
        </button>
        <button type="button" onClick={probe}>
          Probe
        </button>
        <button type="button" onClick={copy}>
          Copy report
        </button>
        <span role="status">{said}</span>
      </footer>
    </>
  );
}
