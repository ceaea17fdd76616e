import { type Context, trace } from "@opentelemetry/api";
import type { SpanRecord } from "@spanloom/model";
import type { SpanFacts } from "../facts.ts";
import type { ProblemReporter } from "../problems.ts";
import type { OtelSpan } from "./otel-span.ts";
import { snapshot } from "./snapshot.ts";

export interface StoreSpanProcessorOptions {
  /** Runs before anything leaves the span's own memory. */
  clean: (record: SpanRecord) => SpanRecord;
  /** Cleaned states of spans: running ones that last, and every end. */
  deliver: (record: SpanRecord, facts: SpanFacts | undefined) => void;
  /** The cleaned record of a span that starts, where somebody wants to know. */
  onStarted?: (record: SpanRecord) => void;
  /** True when running spans should not be written just now. */
  crowded: () => boolean;
  /** How long a span runs before it is written for live views. */
  liveIntervalMs: number;
  problems: ProblemReporter;
}

interface LiveSpan {
  span: OtelSpan;
  facts: SpanFacts | undefined;
  /** The next record's. */
  revision: number;
  /** `facts.changes` and the number of events when it was last written. */
  written: number;
  /** It has been running for at least one interval. */
  lasting: boolean;
}

/** Spans beyond this many that run at once are written when they end, not while they run. */
const MAX_LIVE = 50_000;

/**
 * An OpenTelemetry span processor that turns spans into records. A span that ends within the interval is written once;
 * a longer one is also written while it runs, whenever it has news. Foreign spans below one of ours join its execution.
 */
export class StoreSpanProcessor {
  readonly #options: StoreSpanProcessorOptions;
  readonly #facts = new WeakMap<object, SpanFacts>();
  readonly #live = new Map<object, LiveSpan>();
  #expected: SpanFacts | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StoreSpanProcessorOptions) {
    this.#options = options;
  }

  /** The facts of the span that `start` starts at once: OpenTelemetry has no way to hand them to `onStart`. */
  withFacts<T>(facts: SpanFacts, start: () => T): T {
    this.#expected = facts;
    try {
      return start();
    } finally {
      this.#expected = undefined;
    }
  }

  onStart(span: OtelSpan, parentContext: Context): void {
    const facts = this.#expected ?? this.#inherit(parentContext);
    this.#expected = undefined;
    if (facts !== undefined) this.#facts.set(span, facts);
    const { onStarted, clean, problems } = this.#options;
    if (onStarted !== undefined)
      problems.guard("span start", () => onStarted(clean(snapshot(span, facts, 0, false))));
    if (this.#live.size >= MAX_LIVE) return;
    this.#live.set(span, { span, facts, revision: 0, written: -1, lasting: false });
    this.#timer ??= setInterval(() => this.writeRunning(false), this.#options.liveIntervalMs).unref();
  }

  onEnd(span: OtelSpan): void {
    const { clean, deliver, problems } = this.#options;
    const live = this.#live.get(span);
    this.#live.delete(span);
    const facts = live?.facts ?? this.#facts.get(span);
    problems.guard("span end", () => {
      deliver(clean(snapshot(span, facts, live?.revision ?? 0, true)), facts);
    });
  }

  /** Writes the spans that run and have news: those that last, or all of them before a flush. */
  writeRunning(all: boolean): void {
    const { clean, deliver, crowded, problems } = this.#options;
    if (this.#live.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    if (crowded()) return;
    for (const live of this.#live.values()) {
      const { span, facts, lasting } = live;
      live.lasting = true;
      if (!lasting && !all) continue;
      const state = (facts?.changes ?? 0) + span.events.length;
      if (live.written === state) continue;
      live.written = state;
      problems.guard("span update", () =>
        deliver(clean(snapshot(span, facts, live.revision++, false)), facts),
      );
    }
  }

  forceFlush(): Promise<void> {
    this.writeRunning(true);
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#live.clear();
    return Promise.resolve();
  }

  #inherit(parentContext: Context): SpanFacts | undefined {
    const parent = trace.getSpan(parentContext);
    const above = parent === undefined ? undefined : this.#facts.get(parent);
    if (above === undefined) return undefined;
    return { execution: above.execution, node: above.node, kind: "internal", attributes: {}, changes: 0 };
  }
}
