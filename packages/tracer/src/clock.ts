/** OpenTelemetry's time: whole seconds since the epoch and the nanoseconds beyond them. */
export type HrTime = [seconds: number, nanos: number];

/**
 * The clock of one execution: wall time where it starts, the monotonic clock from there on. So spans keep their order and
 * length when somebody sets the machine's clock, and siblings that start within one millisecond can still be told apart.
 */
export class ExecutionClock {
  readonly #wallMs: number;
  readonly #monotonicMs: number;

  constructor() {
    const wallMs = exactWallMs();
    this.#wallMs = Math.floor(wallMs);
    this.#monotonicMs = performance.now() - (wallMs - this.#wallMs);
  }

  /** A field, so that spans share one function: it goes along with each. */
  readonly now: () => HrTime = () => {
    const elapsedMs = performance.now() - this.#monotonicMs;
    const wholeMs = Math.floor(elapsedMs);
    const epochMs = this.#wallMs + wholeMs;
    const seconds = Math.floor(epochMs / 1000);
    return [seconds, (epochMs - seconds * 1000) * 1e6 + Math.floor((elapsedMs - wholeMs) * 1e6)];
  };
}

let wallAheadMs = Date.now() - performance.now();

/**
 * Wall time with fractions of a millisecond, which `Date` has not: an execution that is resumed in the millisecond in
 * which it stopped must not seem to have begun before that.
 */
function exactWallMs(): number {
  const wholeMs = Date.now();
  const exactMs = performance.now() + wallAheadMs;
  if (exactMs < wholeMs) wallAheadMs += wholeMs - exactMs;
  else if (exactMs >= wholeMs + 1) wallAheadMs -= exactMs - wholeMs - 0.999;
  else return exactMs;
  return performance.now() + wallAheadMs;
}

/** As Unix nanoseconds in decimal digits. */
export function nanosFromHrTime([seconds, nanos]: readonly [number, number]): string {
  return seconds === 0 ? String(nanos) : String(seconds) + String(1e9 + nanos).slice(1);
}
