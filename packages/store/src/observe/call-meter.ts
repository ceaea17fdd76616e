import { LatencyHistogram, latencySlot } from "@spanloom/metrics";
import {
  isSpanloomError,
  type LatencySummary,
  type ScopedStore,
  type SpanloomErrorCode,
} from "@spanloom/model";
import { sizeOf } from "./size-of.ts";

/** Methods of a store that are counted. */
export type StoreMethod = Exclude<
  {
    [K in keyof ScopedStore]-?: NonNullable<ScopedStore[K]> extends (...args: never[]) => unknown ? K : never;
  }[keyof ScopedStore],
  "watch" | "follow" | "getConfig"
>;

export interface ObserveOptions {
  /** Hears of every call when it has ended. What it throws is lost. */
  onCall?(call: StoreCall): void;
  /** Gets the same as OpenTelemetry metrics: see {@link MeterLike}. */
  meter?: MeterLike;
  /** False leaves bytes out, which are counted by looking at every value. True where absent. */
  bytes?: boolean;
}

/** One call that has ended. */
export interface StoreCall {
  /** The store's name, e.g. `sqlite`. */
  store: string;
  /** Absent where the store itself was asked. */
  scope?: string;
  method: StoreMethod;
  durationMs: number;
  /** Records given to `write`; rows, spans or groups that a read gave; spans removed or changed. 0 where it failed. */
  rows: number;
  /** Their size, about as characters of JSON; absent where it failed or cannot be told. */
  bytes?: number;
  /** Why it failed; `unknown` for an error that is none of ours. */
  failure?: SpanloomErrorCode | "unknown";
  /** Records that `write` refused. */
  rejected?: number;
}

/** What one method was asked so far. */
export interface MethodStats {
  calls: number;
  /** Calls that have not ended yet. */
  underWay: number;
  failures: Partial<Record<SpanloomErrorCode | "unknown", number>>;
  rows: number;
  bytes?: number;
  /** Records that `write` refused. */
  rejected: number;
  /** How long all calls together took. */
  totalMs: number;
  latency: LatencySummary;
}

export type StoreStats = Partial<Record<StoreMethod, MethodStats>>;

/**
 * What of an OpenTelemetry `Meter` is used. Instruments: `spanloom.store.operation.duration` (s),
 * `spanloom.store.operation.rows`, `spanloom.store.operation.size` (By), `spanloom.store.operation.rejected`; attributes:
 * `spanloom.store.name`, `spanloom.store.operation` and, for failures, `error.type`. Scopes are no attribute: there may
 * be any number.
 */
export interface MeterLike {
  createHistogram(
    name: string,
    options: { description: string; unit: string },
  ): { record(value: number, attributes: Record<string, string>): void };
  createCounter(
    name: string,
    options: { description: string; unit: string },
  ): { add(value: number, attributes: Record<string, string>): void };
}

/** What is counted of one answer. */
interface Measures<T> {
  /** 1 for something and 0 for nothing where absent. */
  rows?(answer: T): number;
  /** What was moved; the answer where absent. */
  data?(): unknown;
}

export interface CallMeter {
  count<T>(
    scope: string | undefined,
    method: StoreMethod,
    call: () => Promise<T>,
    measures?: Measures<NoInfer<T>>,
  ): Promise<T>;
  stats(): StoreStats;
}

export function createCallMeter(store: string, options: ObserveOptions): CallMeter {
  const counters = new Map<StoreMethod, Counter>();
  const tell = [options.onCall?.bind(options), options.meter && meterOf(options.meter)];
  const withBytes = options.bytes !== false;

  function counterOf(method: StoreMethod): Counter {
    let counter = counters.get(method);
    if (counter === undefined) {
      counter = new Counter(withBytes);
      counters.set(method, counter);
    }
    return counter;
  }

  return {
    async count(scope, method, call, { rows = present, data } = {}) {
      const counter = counterOf(method);
      const started = performance.now();
      const ended = (measured: Pick<StoreCall, "rows" | "bytes" | "failure" | "rejected">): void => {
        const durationMs = performance.now() - started;
        const done: StoreCall = {
          store,
          ...(scope !== undefined && { scope }),
          method,
          durationMs,
          ...measured,
        };
        counter.add(done);
        for (const listener of tell) quietly(listener, done);
      };
      counter.underWay++;
      try {
        const answer = await call();
        const bytes = withBytes ? about(data === undefined ? answer : data()) : undefined;
        const size = bytes === undefined ? {} : { bytes };
        ended({ rows: rows(answer), ...size, ...(method === "write" && { rejected: rejectedIn(answer) }) });
        return answer;
      } catch (error) {
        ended({ rows: 0, failure: isSpanloomError(error) ? error.code : "unknown" });
        throw error;
      } finally {
        counter.underWay--;
      }
    },
    stats: () => Object.fromEntries(Array.from(counters, ([method, counter]) => [method, counter.stats()])),
  };
}

class Counter {
  underWay = 0;
  private calls = 0;
  private rows = 0;
  private rejected = 0;
  private bytes: number | undefined;
  private totalMs = 0;
  private readonly failures: MethodStats["failures"] = {};
  private readonly latency = new LatencyHistogram();

  constructor(withBytes: boolean) {
    this.bytes = withBytes ? 0 : undefined;
  }

  add({ durationMs, rows, bytes = 0, failure, rejected = 0 }: StoreCall): void {
    this.calls++;
    this.rows += rows;
    this.rejected += rejected;
    if (this.bytes !== undefined) this.bytes += bytes;
    this.totalMs += durationMs;
    this.latency.add(latencySlot(durationMs));
    if (failure !== undefined) this.failures[failure] = (this.failures[failure] ?? 0) + 1;
  }

  stats(): MethodStats {
    const { calls, underWay, rows, rejected, totalMs, bytes } = this;
    return {
      ...{ calls, underWay, failures: { ...this.failures }, rows, rejected, totalMs },
      ...(bytes !== undefined && { bytes }),
      latency: this.latency.summary(),
    };
  }
}

function meterOf(meter: MeterLike): (call: StoreCall) => void {
  const duration = meter.createHistogram("spanloom.store.operation.duration", {
    description: "How long calls to the trace store took.",
    unit: "s",
  });
  const rows = meter.createCounter("spanloom.store.operation.rows", {
    description: "Rows that calls to the trace store wrote or gave.",
    unit: "{row}",
  });
  const size = meter.createCounter("spanloom.store.operation.size", {
    description: "What calls to the trace store wrote or gave, about as characters of JSON.",
    unit: "By",
  });
  const rejected = meter.createCounter("spanloom.store.operation.rejected", {
    description: "Records that the trace store refused.",
    unit: "{row}",
  });
  return (call) => {
    const attributes = { "spanloom.store.name": call.store, "spanloom.store.operation": call.method };
    duration.record(
      call.durationMs / 1_000,
      call.failure === undefined ? attributes : { ...attributes, "error.type": call.failure },
    );
    if (call.rows > 0) rows.add(call.rows, attributes);
    if (call.bytes !== undefined && call.bytes > 0) size.add(call.bytes, attributes);
    if (call.rejected !== undefined && call.rejected > 0) rejected.add(call.rejected, attributes);
  };
}

/** What a caller wrote may be anything, also something that throws when it is looked at: nobody knows how large that is. */
function about(value: unknown): number | undefined {
  try {
    return sizeOf(value);
  } catch {
    return undefined;
  }
}

function present(answer: unknown): number {
  return Number(answer !== undefined);
}

function rejectedIn(answer: unknown): number {
  const { rejected } = answer as { rejected: readonly unknown[] };
  return rejected.length;
}

function quietly(listener: ((call: StoreCall) => void) | undefined, call: StoreCall): void {
  try {
    listener?.(call);
  } catch {
    // Whoever listens fails alone: the store's answer is not theirs.
  }
}
