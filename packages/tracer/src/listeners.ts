import type { ContentVault, SpanRecord } from "@spanloom/model";
import { createGenAiMetrics, type HistogramMeter, type Pipeline } from "@spanloom/pipeline";
import type { DeliveryStats } from "./deliver/counters.ts";
import { EventChannel, type EventStats } from "./event-channel.ts";
import type { TracerEvent } from "./events.ts";
import { type ExecutionEnd, ExecutionEnds } from "./execution-ends.ts";
import { type MeterLike, measure } from "./measure.ts";
import type { LiveSpan } from "./otel/store-span-processor.ts";
import type { ProblemReporter } from "./problems.ts";
import { DetailSampler, type SamplingOptions } from "./sampling.ts";
import { flushOnSignals } from "./signals.ts";
import { VaultFeed, type VaultStats } from "./vault-feed.ts";
import { settled } from "./wait.ts";

/** Everything that only some hosts ask for. */
export interface ListenOptions {
  onEvent?: ((event: TracerEvent) => void | Promise<void>) | undefined;
  onExecutionEnd?: ((end: ExecutionEnd) => void | Promise<void>) | undefined;
  sampling?: SamplingOptions | undefined;
  meter?: (MeterLike & HistogramMeter) | undefined;
  flushOnSignals?: readonly NodeJS.Signals[] | undefined;
  vault?: ContentVault | undefined;
}

/** What listeners need of the tracer. */
export interface Listened {
  scope: string;
  pipeline: Pipeline;
  problems: ProblemReporter;
  /** Sends a span again that changed after its end. */
  put: (record: SpanRecord, before: LiveSpan["waiting"]) => unknown;
  /** Never rejects. */
  flush: () => Promise<unknown>;
  stats: () => DeliveryStats & { otlp?: DeliveryStats };
}

/** Those who are told what becomes of spans. Nothing in them throws. */
export interface Listeners {
  /**
   * A cleaned record: of a span that starts, that ended, or, `amended`, that has news after its end. `raw`: an ended one
   * before it was cleaned.
   */
  tell(record: SpanRecord, live: LiveSpan, amended: boolean, raw?: SpanRecord): void;
  /** False when something still waits after that time. */
  flush(timeoutMs: number): Promise<boolean>;
  stats(): { events?: EventStats; vault?: VaultStats };
  /** Takes an execution out of the vault. Rejects when the vault could not. */
  deleteExecution(executionId: string): Promise<void>;
  /** Lets go of meter and signals. */
  stop(): void;
}

export function listen(options: ListenOptions, listened: Listened): Listeners {
  const { scope, pipeline, problems, put, flush, stats } = listened;
  const { onEvent, onExecutionEnd, sampling, meter, flushOnSignals: signals = [] } = options;
  const events = onEvent && new EventChannel(onEvent, problems);
  const ends = onExecutionEnd && new ExecutionEnds(onExecutionEnd, pipeline, problems);
  const sampler = sampling && new DetailSampler(sampling, put);
  const feed = options.vault && new VaultFeed(options.vault, scope, problems);
  const undo: (() => void)[] = [];
  const attach = <T>(option: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.report("invalid_argument", option, "The option could not be followed.", error);
      return undefined;
    }
  };
  const measureCall = meter && attach("meter", () => createGenAiMetrics(meter));
  if (meter) attach("meter", () => undo.push(measure(meter, stats)));
  if (signals.length > 0) attach("flushOnSignals", () => undo.push(flushOnSignals(signals, flush)));

  const ended = (record: SpanRecord, { facts }: LiveSpan): void => {
    measureCall?.(record);
    events?.emit("end", record);
    if (facts === undefined) return;
    ends?.add(record, facts.execution);
    // Only the root of an execution has one.
    if (facts.status === undefined) return;
    sampler?.finish(record, facts.execution);
    ends?.finish(record, facts.execution);
  };
  return {
    tell(record, live, amended, raw) {
      problems.guard("listeners", () => {
        if (record.endTime === undefined) {
          events?.emit("start", record);
          return;
        }
        if (raw !== undefined) feed?.put(raw, record);
        // Nobody has ended it yet.
        if (record.syntheticEnd !== undefined) return;
        if (live.facts !== undefined) sampler?.note(record, live, live.facts.execution);
        if (!amended) ended(record, live);
      });
    },
    async flush(timeoutMs) {
      const told = Promise.all([events?.drained(), ends?.drained()]);
      const done = await Promise.all([settled(told, timeoutMs), feed?.flush(timeoutMs)]);
      return done.every((complete) => complete !== false);
    },
    stats: () => ({ ...(events && { events: events.stats() }), ...(feed && { vault: feed.stats() }) }),
    deleteExecution: async (executionId) => feed?.deleteExecution(executionId),
    stop() {
      feed?.close();
      for (const step of undo.splice(0)) step();
    },
  };
}
