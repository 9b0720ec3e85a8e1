import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';
import { useRealtimeGoals } from '@purposepath/realtime/react';
import { RealtimeIndicator } from '@purposepath/realtime/ui';
import { tenantOf } from '../../domain/people.js';
import type { Session } from '../server/server.js';
import { themes } from '../settings.js';
import type { Density, Theme } from '../settings.js';
import { Avatar } from './Avatar.js';
import { Picker } from './Picker.js';

/** How the page looks, and how to change it. */
export interface View {
  readonly theme: Theme;
  readonly density: Density;
  readonly setTheme: (theme: Theme) => void;
  readonly setDensity: (density: Density) => void;
}

/** Who can be signed in, and how to become somebody else. */
export interface Account {
  readonly sessions: readonly Session[];
  readonly choose: (session: Session) => void;
}

/** Props of {@link Header}. */
export interface HeaderProps {
  readonly session: Session;
  readonly view: View;
  readonly account: Account;
}

const icons: { readonly [name in Theme | Density]: string } = {
  system: 'M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  comfortable: 'M2.5 1.8h11M2.5 14.2h11M8 4.2v7.6M6 6.2l2-2 2 2M6 9.8l2 2 2-2',
  compact: 'M2.5 6.8h11M2.5 9.2h11M8 1v3.8M6 2.8l2 2 2-2M8 15v-3.8M6 13.2l2-2 2 2',
};
const Icon = ({ name }: { readonly name: Theme | Density }): ReactElement => (
  <svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
    <path d={icons[name]} />
  </svg>
);

/** Counts in the page's title how often goals have changed while nobody looked. */
const useUnread = (): void => {
  const [unread, setUnread] = useState(0);
  useRealtimeGoals({
    onAnyGoalEvent: () => {
      if (document.hidden) setUnread((n) => n + 1);
    },
  });
  useEffect(() => {
    const seen = (): void => setUnread(0);
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, []);
  useEffect(() => {
    document.title = unread ? `(${unread}) Goals` : 'Goals';
  }, [unread]);
};

/** The page's header: where one is, whether it is live, and who one is. */
export function Header({ session, view, account }: HeaderProps): ReactElement {
  useUnread();
  const { theme, density, setTheme, setDensity } = view;
  const isCompact = density === 'compact';
  const names = Object.fromEntries(account.sessions.map(({ tenantId, user }) => [user.id, `${user.name}, ${tenantOf(tenantId).name}`]));
  return (
    <header className="header">
      <h1>Goals</h1>
      <span className="chip">{tenantOf(session.tenantId).name}</span>
      <span className="space" />
      <button type="button" className="icon-button" aria-pressed={isCompact} aria-label="Compact rows" title="Compact rows" onClick={() => setDensity(isCompact ? 'comfortable' : 'compact')}>
        <Icon name={density} />
      </button>
      <Picker label="Theme" value={theme} options={Object.fromEntries(themes.map((one) => [one, one.charAt(0).toUpperCase() + one.slice(1)])) as { readonly [T in Theme]: string }} className="icon-button" onChange={setTheme}>
        <Icon name={theme} />
      </Picker>
      <RealtimeIndicator showDetails position="header" />
      <Picker
        label="Signed in as"
        value={session.user.id}
        options={names}
        className="picker-avatar"
        onChange={(id) => {
          const next = account.sessions.find(({ user }) => user.id === id);
          if (next) account.choose(next);
        }}
      >
        <Avatar id={session.user.id} />
      </Picker>
    </header>
  );
}
