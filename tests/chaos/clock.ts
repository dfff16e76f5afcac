/** The time in a world that can be moved ahead: the machine's, and so many milliseconds more. */
export class Clock {
  aheadMs = 0;

  /** Seconds since 1970. */
  now = (): number => (Date.now() + this.aheadMs) / 1000;

  advance(minutes: number): void {
    this.aheadMs += minutes * 60_000;
  }
}
