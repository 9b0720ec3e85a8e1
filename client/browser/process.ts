import type { ChildProcess } from 'node:child_process';

const PATIENCE = 120_000;

/** Waits until a process says what matches; one that does not is ended. What it says later is read and dropped, so that it never stands still. */
export const said = (child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> =>
  new Promise((resolve, reject) => {
    let heard = '';
    const failed = (how: string): void => reject(new Error(`${child.spawnfile} ${how} before it said ${pattern}:\n${heard}`));
    const timer = setTimeout(() => {
      child.kill();
      failed(`ran for ${PATIENCE} ms`);
    }, PATIENCE);
    let listen: ((text: string) => void) | undefined = (text) => {
      heard += text;
      const match = pattern.exec(heard);
      if (!match) return;
      listen = undefined;
      clearTimeout(timer);
      resolve(match);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => listen?.(text));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      failed(`ended (${signal || code})`);
    });
  });

/** Waits until a process is gone. */
export const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
