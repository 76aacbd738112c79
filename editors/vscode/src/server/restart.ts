/**
 * When a server that ended unasked may start again: after 1, 2, 4, ... seconds, and not for ever.
 *
 * Times are milliseconds of any one clock. Pure.
 */

export interface RestartLimits {
  /** How long to wait before the first new start; doubled each time. */
  readonly firstDelay: number;
  /** The longest wait. */
  readonly longestDelay: number;
  /** How many ends in `window` are put up with. */
  readonly most: number;
  readonly window: number;
}

export const RESTART_LIMITS: RestartLimits = { firstDelay: 1000, longestDelay: 16000, most: 5, window: 180000 };

export class RestartPolicy {
  private ends: number[] = [];

  constructor(private readonly limits: RestartLimits = RESTART_LIMITS) {}

  /** The server ended at `now`: how long to wait before starting it again, or undefined to give up. */
  ended(now: number): number | undefined {
    this.ends = this.ends.filter((then) => now - then < this.limits.window);
    this.ends.push(now);
    if (this.ends.length > this.limits.most) {
      return undefined;
    }
    return Math.min(this.limits.longestDelay, this.limits.firstDelay * 2 ** (this.ends.length - 1));
  }

  /** The user started it by hand: earlier ends no longer count. */
  reset(): void {
    this.ends = [];
  }
}
