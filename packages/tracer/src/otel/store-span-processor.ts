import type { Span } from "@opentelemetry/api";
import type { SpanRecord } from "@spanloom/model";
import type { Waiting } from "../deliver/record-queue.ts";
import { SpanFacts } from "../facts.ts";
import { type Linked, LinkedSet } from "../linked-set.ts";
import type { ProblemReporter } from "../problems.ts";
import type { OtelSpan } from "./otel-span.ts";
import { snapshot } from "./snapshot.ts";

export interface StoreSpanProcessorOptions {
  /** Runs before anything leaves the span's own memory. */
  clean: (record: SpanRecord) => SpanRecord;
  /** Cleaned states of spans: running ones that last, and every end. `amended`: the end was told before. `raw`: before cleaning. */
  deliver: (record: SpanRecord, live: LiveSpan, amended: boolean, raw: SpanRecord) => void;
  /** The cleaned record of a span that starts, where somebody wants to know. */
  onStarted?: ((record: SpanRecord, live: LiveSpan) => void) | undefined;
  /** True when running spans should not be written just now. */
  crowded: () => boolean;
  /** How long a span runs before it is written for live views. */
  liveIntervalMs: number;
  /** How long a span may run before it gets an end that says so. */
  timeoutMs: number;
  problems: ProblemReporter;
}

/** What is kept of a span while it runs. */
export interface LiveSpan extends Linked {
  readonly span: OtelSpan;
  /** Absent on a foreign span that stands below none of ours. */
  readonly facts: SpanFacts | undefined;
  /** The next record's. */
  revision: number;
  /** `facts.changes` and the number of events when it was last written. */
  written: number;
  /** It has been running for at least one interval. */
  lasting: boolean;
  /** Where its last state waits for the store. */
  waiting: Waiting | undefined;
  /** On the monotonic clock, at most one interval early. */
  readonly startedMs: number;
}

/** Spans carry it themselves: a WeakMap would make every garbage collection slower. */
interface Carrier {
  [key: symbol]: LiveSpan | undefined;
}

/** Spans beyond this many that run at once are written when they end, not while they run. */
const MAX_LIVE = 50_000;

/**
 * An OpenTelemetry span processor that turns spans into records. A span that ends within the interval is written once;
 * a longer one is also written while it runs, whenever it has news. Foreign spans below one of ours join its execution.
 */
export class StoreSpanProcessor {
  readonly #options: StoreSpanProcessorOptions;
  readonly #live = new LinkedSet<LiveSpan>();
  /** Of this processor alone: a span of the host may be carried to several tracers. */
  readonly #key: symbol = Symbol("spanloom.live");
  #timer: NodeJS.Timeout | undefined;
  #nowMs = 0;

  constructor(options: StoreSpanProcessorOptions) {
    this.#options = options;
  }

  /** `own`: what belongs to a span of ours. Others take after `above`, the span of ours that they stand below. */
  onStart(span: OtelSpan, above: Span | undefined, own?: SpanFacts): void {
    const facts = own ?? this.#inherit(span, above);
    // One look at the clock for each interval is enough for a time-out.
    if (this.#timer === undefined) this.#nowMs = performance.now();
    const live: LiveSpan = {
      span,
      facts,
      revision: 0,
      written: -1,
      lasting: false,
      waiting: undefined,
      startedMs: this.#nowMs,
      before: undefined,
      after: undefined,
    };
    (span as OtelSpan & Carrier)[this.#key] = live;
    const { onStarted, clean, problems, liveIntervalMs } = this.#options;
    if (onStarted !== undefined)
      problems.guard("span start", () => onStarted(clean(snapshot(span, facts, 0, false)), live));
    if (this.#live.size >= MAX_LIVE) return;
    this.#live.add(live);
    this.#timer ??= setInterval(() => this.writeRunning(false), liveIntervalMs).unref();
  }

  onEnd(span: OtelSpan): void {
    const live = (span as OtelSpan & Carrier)[this.#key];
    if (live === undefined) return;
    this.#live.delete(live);
    this.#deliver(live, "ended");
  }

  /** Writes a span again that has ended, with what became known since. */
  amend(span: object): void {
    const live = (span as Carrier)[this.#key];
    if (live !== undefined) this.#deliver(live, "amended");
  }

  /** Writes the spans that run and have news: those that last, or all of them before a flush. */
  writeRunning(all: boolean): void {
    if (this.#live.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#endOverdue();
    if (this.#options.crowded()) return;
    for (const live of this.#live) {
      const { span, facts, lasting } = live;
      live.lasting = true;
      if (!lasting && !all) continue;
      const state = (facts?.changes ?? 0) + span.events.length;
      if (live.written === state) continue;
      live.written = state;
      this.#deliver(live, "running");
    }
  }

  /** Writes running spans no more. */
  shutdown(): void {
    clearInterval(this.#timer);
    for (const live of this.#live) this.#live.delete(live);
  }

  /** Spans that nobody ends: no longer waited for. Should the end come after all, it takes the place of this one. */
  #endOverdue(): void {
    const { timeoutMs } = this.#options;
    const now = performance.now();
    this.#nowMs = now;
    // They stand in the order of their start.
    for (const live of this.#live) {
      if (now - live.startedMs < timeoutMs) return;
      this.#live.delete(live);
      this.#deliver(live, "timed_out");
    }
  }

  #deliver(live: LiveSpan, as: "running" | "ended" | "amended" | "timed_out"): void {
    const { clean, deliver, problems } = this.#options;
    try {
      const ended = as === "ended" || as === "amended";
      const record = snapshot(live.span, live.facts, live.revision++, ended);
      const state = as === "timed_out" ? timedOut(record, performance.now() - live.startedMs) : record;
      deliver(clean(state), live, as === "amended", state);
    } catch (error) {
      problems.report("internal", "span", "A span could not be recorded; the workflow goes on.", error);
    }
  }

  /** What travels beside a span, where it is one of this processor. */
  factsOf(span: Span | undefined): SpanFacts | undefined {
    return (span as (Span & Carrier) | undefined)?.[this.#key]?.facts;
  }

  #inherit(span: OtelSpan, parent: Span | undefined): SpanFacts | undefined {
    const above = this.factsOf(parent);
    return above === undefined
      ? undefined
      : new SpanFacts(above.execution, "internal", above.node, span.name);
  }
}

function timedOut(record: SpanRecord, afterMs: number): SpanRecord {
  return {
    ...record,
    endTime: String(BigInt(record.startTime) + BigInt(Math.round(afterMs)) * 1_000_000n),
    syntheticEnd: "timed_out",
    status: { code: "error", message: `No end within ${Math.round(afterMs / 1_000)} s.` },
  };
}
