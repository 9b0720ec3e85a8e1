import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/**
 * The wire between a browser and the stack, in the test's hands: it counts connections where no client can miscount them, and fails as networks do.
 */
export class Line {
  /** Connections carried since the beginning. */
  opened = 0;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private broken = false;

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** A line to a port of this machine. */
  static async to(port: number): Promise<Line> {
    const server = createServer();
    const line = new Line(server, port);
    server.on('connection', (near) => line.carry(near));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Connections carried now. */
  get open(): number {
    return this.pairs.size;
  }

  /** Ends every connection and takes no new one. */
  cut(): void {
    this.broken = true;
    for (const pair of this.pairs) pair.forEach((end) => end.destroy());
  }

  /** Takes new connections again. */
  mend(): void {
    this.broken = false;
  }

  /** Present connections carry nothing any more, and neither end is told: the half-open socket that sleep leaves behind. New ones are carried. */
  silence(): void {
    for (const pair of this.pairs) for (const end of pair) end.unpipe().pause();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private carry(near: Socket): void {
    // An end that is cut off says so as an error, which a socket must be listened to for; `close` follows.
    near.on('error', () => {});
    if (this.broken) {
      near.destroy();
      return;
    }
    const far = connect(this.port, '127.0.0.1');
    far.on('error', () => {});
    const pair = [near, far] as const;
    this.opened++;
    this.pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const end of pair)
      end.on('close', () => {
        this.pairs.delete(pair);
        pair.forEach((other) => other.destroy());
      });
  }
}
