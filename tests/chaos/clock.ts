/**
 * Clock of a world whose time can be moved ahead: the machine's clock plus an offset in
 * milliseconds.
 */
export class Clock {
  aheadMs = 0;

  /** Seconds since 1970. */
  now = (): number => (Date.now() + this.aheadMs) / 1000;

  advance(minutes: number): void {
    this.aheadMs += minutes * 60_000;
  }
}
