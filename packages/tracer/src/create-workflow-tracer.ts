import {
  type ContentVault,
  type ScopedStore,
  SpanloomError,
  type SpanSink,
  type TraceStore,
} from "@spanloom/model";
import {
  cleanCause,
  createPipeline,
  type HistogramMeter,
  type Pipeline,
  type PipelineOptions,
} from "@spanloom/pipeline";
import { checkOptions } from "./check-options.ts";
import type { Send } from "./deliver/attempt.ts";
import type { DeliveryStats } from "./deliver/counters.ts";
import { Delivery } from "./deliver/delivery.ts";
import { sinkSender } from "./deliver/sink-sender.ts";
import type { Durability } from "./deliver/spool.ts";
import type { EventStats } from "./event-channel.ts";
import type { TracerEvent } from "./events.ts";
import { type ExecutionHandle, type ExecutionOptions, startExecution } from "./execution.ts";
import type { ExecutionEnd } from "./execution-ends.ts";
import { flushBeforeExit } from "./exit-flush.ts";
import { LateListeners } from "./late-listeners.ts";
import type { MeterLike } from "./measure.ts";
import { otlpOptions, readEnvironment } from "./otel/environment.ts";
import { joinOtherInstrumentations } from "./otel/global-provider.ts";
import type { Mirror } from "./otel/mirror.ts";
import { type OtlpOptions, otlpSender } from "./otel/otlp-options.ts";
import { PrivateProvider } from "./otel/private-provider.ts";
import { resourceAttributes } from "./otel/resource.ts";
import { StoreSpanProcessor } from "./otel/store-span-processor.ts";
import { createProblemReporter, type OnProblem } from "./problems.ts";
import { Recorder } from "./recorder.ts";
import { runSpan } from "./run-span.ts";
import type { SamplingOptions } from "./sampling.ts";
import type { SpanHandle } from "./span-handle.ts";
import type { VaultStats } from "./vault-feed.ts";
import { settled } from "./wait.ts";

export interface WorkflowTracerOptions {
  /** Where spans go: a store, one tenant's handle of it, or any sink. */
  store: TraceStore | ScopedStore | SpanSink;
  /** The tenant, where `store` holds several. Default `default`. */
  scope?: string;
  /**
   * Also posts ended spans to an OpenTelemetry collector, as OTLP/JSON. What is left out comes from
   * `OTEL_EXPORTER_OTLP_*`; where these name an endpoint, `false` sends nothing there.
   */
  otlp?: Partial<OtlpOptions> | false;
  /** What is taken out of every field before it leaves the span's memory; `false` takes nothing out. */
  redaction?: PipelineOptions["redaction"];
  /** How tokens become costs; `false` leaves costs unknown. */
  pricing?: PipelineOptions["pricing"];
  /** A pipeline made by hand, in place of `redaction` and `pricing`. */
  pipeline?: Pipeline;
  /** Default `OTEL_SERVICE_NAME`. */
  serviceName?: string;
  serviceVersion?: string;
  /** Such as `production`. */
  environment?: string;
  /**
   * When false the host's code runs the same and nothing is recorded. A function is asked with the scope whenever an
   * execution starts. Default true, unless `OTEL_SDK_DISABLED` is.
   */
  enabled?: boolean | ((scope: string) => boolean);
  /** Takes content, attributes and events away from completed executions when they end; sums stay. Default: all is kept. */
  sampling?: SamplingOptions;
  /**
   * Default true. Where the host has no OpenTelemetry provider when the first execution starts, one is registered that
   * records spans of other instrumentations inside executions, and nothing else.
   */
  registerGlobally?: boolean;
  /** Default true. When false no prompt, response, argument, result or state is kept. */
  captureContent?: boolean;
  /** Default true. What a callback returns becomes the output of its span, where none was set. */
  captureResults?: boolean;
  /** `maxBytes`: the memory that waiting spans may take, default 32 MB. `flushIntervalMs`: default 200. */
  queue?: { maxBytes?: number; flushIntervalMs?: number; writeTimeoutMs?: number };
  /**
   * Keeps on the disk what the store or the collector does not take, for when it does, or for the next process:
   * `createDiskSpool({ directory })` of `@spanloom/tracer/durable`.
   */
  durability?: Durability;
  /**
   * Keeps contents as they were before redaction, encrypted, in the background: `createContentVault` of
   * `@spanloom/pipeline/vault`. Default none.
   */
  vault?: ContentVault;
  /** Default one hour. A span that runs longer is ended as `timed_out`; its real end, should it come, takes over. */
  spanTimeoutMs?: number;
  /**
   * Default true: writes what waits when Node runs out of work, for at most two seconds. `process.exit` leaves no time for
   * that; with `durability`, what waits is put on the disk then.
   */
  flushOnExit?: boolean;
  /**
   * Default none. Writes what waits when one of these signals comes, such as `["SIGTERM", "SIGINT"]`, for at most two
   * seconds, and raises it again. Where the host handles the signal itself, it decides when the process ends.
   */
  flushOnSignals?: readonly NodeJS.Signals[];
  /**
   * Shows the counters of `stats()` as OpenTelemetry metrics, `spanloom.spans.*`, and records the GenAI client metrics of
   * model calls: `metrics.getMeter("my-app")`.
   */
  meter?: MeterLike & HistogramMeter;
  /**
   * Lets processors of the host see these spans, too: `mirrorTo(processor)` of `@spanloom/tracer/otel`. They get ids and
   * figures as attributes, never content.
   */
  mirror?: Mirror;
  /** Default: one line on `console.warn`. */
  onProblem?: OnProblem;
  /** Events in order. A promise is awaited before the next one. */
  onEvent?: (event: TracerEvent) => void | Promise<void>;
  /** Once per run of an execution, when its root ends: ids, totals and counts. */
  onExecutionEnd?: (end: ExecutionEnd) => void | Promise<void>;
}

/** The counters of the store, and those of the collector, of `onEvent` and of the vault where there are such. */
export interface TracerStats extends DeliveryStats {
  otlp?: DeliveryStats;
  events?: EventStats;
  vault?: VaultStats;
}

export interface WorkflowTracer {
  /** @internal What the entries beside this one record with. */
  readonly recorder: Recorder;
  /** Runs an execution of a workflow. It ends when `run` does; what `run` gives or throws is passed through unchanged. */
  execution<T>(options: ExecutionOptions, run: (execution: ExecutionHandle) => T): T;
  /** The same by hand: call `end`, `fail`, `cancel` or `wait`. */
  startExecution(options: ExecutionOptions): ExecutionHandle;
  /** The span whose callback is running here, across `await`s; code deep inside a node can hang its own spans below it. */
  activeSpan(): SpanHandle | undefined;
  /** For adapters of engines: runs `work`, and gives what it throws to `onProblem` instead of to the host. */
  guard<T>(where: string, work: () => T): T | undefined;
  /** Writes what waits, and spans that run as they are now. True when everything was delivered in time. Never rejects. */
  flush(options?: { timeoutMs?: number }): Promise<boolean>;
  /** Flushes, then stops: later spans are not kept. Never rejects. */
  shutdown(options?: { timeoutMs?: number }): Promise<boolean>;
  /**
   * Deletes an execution in the store, in what waits for store and collector (in memory, on the disk, dead letters) and in
   * the vault. What comes late for it goes nowhere. False when the store had none. Unlike everything else here it rejects
   * when something could not be deleted: call it again then.
   */
  deleteExecution(executionId: string): Promise<boolean>;
  stats(): TracerStats;
}

const FLUSH_TIMEOUT_MS = 5_000;
const EXIT_FLUSH_TIMEOUT_MS = 2_000;
const SPAN_TIMEOUT_MS = 3_600_000;

/** Before the first. */
const NO_EVENTS: EventStats = { emitted: 0, delivered: 0, failed: 0, waiting: 0, dropped: 0 };

/** Makes a tracer. Throws `invalid_argument` for options that cannot work; after that, nothing it does throws. */
export function createWorkflowTracer(options: WorkflowTracerOptions): WorkflowTracer {
  const { redaction, pricing, onEvent, durability, queue = {} } = options;
  const { registerGlobally = true, flushOnExit = true } = options;
  const sink = sinkOf(options);
  checkOptions(options);
  const scope = options.scope ?? ("scope" in sink && typeof sink.scope === "string" ? sink.scope : "default");
  const pipeline = options.pipeline ?? createPipeline({ redaction, pricing });
  const problems = createProblemReporter(options.onProblem, (cause) => cleanCause(cause, pipeline, scope));
  const environment = readEnvironment(process.env, problems);
  const enabled = options.enabled ?? !environment.disabled;
  const otlp = enabled === false ? undefined : otlpOptions(options.otlp, environment);
  const flushIntervalMs = queue.flushIntervalMs ?? 200;
  const delivery = (name: string, send: Send, timeoutMs?: number): Delivery =>
    new Delivery({
      name,
      send,
      problems,
      spool: enabled !== false ? durability?.open({ scope, destination: name, problems }) : undefined,
      pipeline,
      maxBytes: queue.maxBytes ?? 32_000_000,
      flushIntervalMs,
      sendTimeoutMs: timeoutMs ?? queue.writeTimeoutMs ?? 10_000,
    });
  const toStore = delivery("store", sinkSender(sink));
  const toCollector = otlp && delivery("otlp", otlpSender(otlp), environment.otlp?.timeoutMs);

  const processor = new StoreSpanProcessor({
    clean: (record) => pipeline.clean(record, { scope }),
    deliver: (record, live, amended, raw) => {
      live.waiting = toStore.put(record, live.waiting);
      if (record.endTime === undefined) return;
      if (!amended) toCollector?.put(record);
      listeners?.tell(record, live, amended, options.vault && raw);
    },
    onStarted: onEvent && ((record, live) => listeners?.tell(record, live, false)),
    crowded: () => toStore.crowded,
    liveIntervalMs: flushIntervalMs,
    timeoutMs: options.spanTimeoutMs ?? SPAN_TIMEOUT_MS,
    problems,
  });
  const provider = new PrivateProvider(
    resourceAttributes(options, environment.resource),
    environment.limits,
    processor,
    options.mirror?.open(problems),
  );
  const isEnabled = (): boolean => {
    const recorded = typeof enabled === "function" ? enabled(scope) : enabled;
    if (recorded && registerGlobally) problems.guard("OpenTelemetry", joinOtherInstrumentations);
    return recorded;
  };
  const recorder = new Recorder(provider, problems, isEnabled, options);

  const flush: WorkflowTracer["flush"] = async ({ timeoutMs = FLUSH_TIMEOUT_MS } = {}) => {
    problems.guard("flush", () => processor.writeRunning(true));
    // Some of them still change what is to be sent.
    if (listeners !== undefined) await settled(listeners.ready, timeoutMs);
    const results = await Promise.all([
      toStore.flush(timeoutMs),
      toCollector?.flush(timeoutMs),
      listeners?.flush(timeoutMs),
    ]);
    return results.every((complete) => complete !== false);
  };
  const flushAtEnd = async (): Promise<void> => {
    if (await flush({ timeoutMs: EXIT_FLUSH_TIMEOUT_MS })) return;
    toStore.abort();
    toCollector?.abort();
  };
  const stats = (): TracerStats => ({
    ...toStore.stats(),
    ...(toCollector !== undefined && { otlp: toCollector.stats() }),
    ...(onEvent !== undefined && { events: NO_EVENTS }),
    ...listeners?.stats(),
  });
  const listeners =
    enabled !== false && isListenedTo(options)
      ? new LateListeners(async () => {
          const { listen } = await import("./listeners.ts");
          const put = toStore.put.bind(toStore);
          return listen(options, { scope, pipeline, problems, put, flush: flushAtEnd, stats });
        }, problems)
      : undefined;
  const unhook = enabled !== false && flushOnExit ? flushBeforeExit(flushAtEnd) : undefined;

  return {
    recorder,
    execution: (execution, run) => runSpan(startExecution(recorder, execution), run),
    startExecution: (execution) => startExecution(recorder, execution),
    activeSpan: () => recorder.active(),
    guard: problems.guard,
    flush,
    async deleteExecution(executionId) {
      const { eraseExecution } = await import("./erase.ts");
      return eraseExecution(executionId, { sink, deliveries: [toStore, toCollector], listeners });
    },
    async shutdown({ timeoutMs = FLUSH_TIMEOUT_MS } = {}) {
      const flushed = await flush({ timeoutMs });
      await settled(provider.shutdown(), timeoutMs);
      await Promise.all([toStore.shutdown(0), toCollector?.shutdown(0)]);
      unhook?.();
      listeners?.stop();
      return flushed;
    },
    stats,
  };
}

/** Most hosts have none of these. */
function isListenedTo({
  onEvent,
  onExecutionEnd,
  sampling,
  meter,
  flushOnSignals,
  vault,
}: WorkflowTracerOptions): boolean {
  return [onEvent, onExecutionEnd, sampling, meter, vault, flushOnSignals?.[0]].some(Boolean);
}

function sinkOf({ store, scope = "default" }: WorkflowTracerOptions): SpanSink {
  if (typeof store === "object" && store !== null) {
    if ("forScope" in store) return store.forScope(scope);
    if ("write" in store && typeof store.write === "function") return store;
  }
  throw new SpanloomError("invalid_argument", {
    what: "The tracer has no `store` that it can write to.",
    fix: 'Give one, such as createMemoryStore() of "@spanloom/store", or any object with `write(spans)`.',
  });
}
