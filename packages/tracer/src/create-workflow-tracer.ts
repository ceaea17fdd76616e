import {
  type ContentVault,
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  type SpanSink,
  type TraceStore,
} from "@spanloom/model";
import {
  createGenAiMetrics,
  createPipeline,
  type HistogramMeter,
  type Pipeline,
  type PipelineOptions,
} from "@spanloom/pipeline";
import { checkTimes } from "./check-times.ts";
import { cleanCause } from "./clean-cause.ts";
import type { Send } from "./deliver/attempt.ts";
import type { DeliveryStats } from "./deliver/counters.ts";
import { Delivery } from "./deliver/delivery.ts";
import { sinkSender } from "./deliver/sink-sender.ts";
import type { Durability } from "./deliver/spool.ts";
import { EventChannel, type EventStats } from "./event-channel.ts";
import type { TracerEvent } from "./events.ts";
import { type ExecutionHandle, type ExecutionOptions, startExecution } from "./execution.ts";
import { flushBeforeExit } from "./exit-flush.ts";
import type { SpanFacts } from "./facts.ts";
import type { MeterLike } from "./measure.ts";
import { otlpOptions, readEnvironment } from "./otel/environment.ts";
import { joinOtherInstrumentations } from "./otel/global-provider.ts";
import { guardedProcessor } from "./otel/guarded-processor.ts";
import { type HostSpansOptions, hostSpanProcessor } from "./otel/host-span-processor.ts";
import type { OtelSpanProcessor } from "./otel/otel-span.ts";
import { type OtlpOptions, otlpSender } from "./otel/otlp-options.ts";
import { PrivateProvider } from "./otel/private-provider.ts";
import { createResource } from "./otel/resource.ts";
import { type LiveSpan, StoreSpanProcessor } from "./otel/store-span-processor.ts";
import { createProblemReporter, type OnProblem, type ProblemReporter } from "./problems.ts";
import { Recorder } from "./recorder.ts";
import { runSpan } from "./run-span.ts";
import { checkSampling, DetailSampler, type SamplingOptions } from "./sampling.ts";
import type { SpanHandle } from "./span-handle.ts";
import type { ExecutionEnd } from "./totals.ts";
import type { VaultFeed, VaultStats } from "./vault-feed.ts";
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
  /** Processors of the host that should see our spans too. They get ids and figures as attributes, never content. */
  spanProcessors?: OtelSpanProcessor[];
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
  /**
   * A processor for an OpenTelemetry provider of the host, 2.x or 3.x: spans of other instrumentations that run inside
   * an execution are kept with it. With `all`, every other span, too, as an execution of its own.
   */
  spanProcessor(options?: HostSpansOptions): OtelSpanProcessor;
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
const PRICES_TIMEOUT_MS = 2_000;
const SPAN_TIMEOUT_MS = 3_600_000;

/** Makes a tracer. Throws `invalid_argument` for options that cannot work; after that, nothing it does throws. */
export function createWorkflowTracer(options: WorkflowTracerOptions): WorkflowTracer {
  const { redaction, pricing, onEvent, onExecutionEnd, sampling, spanProcessors = [] } = options;
  const { registerGlobally = true } = options;
  const sink = sinkOf(options);
  checkSampling(sampling);
  checkTimes(options);
  const scope = options.scope ?? ("scope" in sink && typeof sink.scope === "string" ? sink.scope : "default");
  const pipeline = options.pipeline ?? createPipeline({ redaction, pricing });
  const problems = createProblemReporter(options.onProblem, (cause) => cleanCause(cause, pipeline, scope));
  const environment = readEnvironment(process.env, problems);
  const enabled = options.enabled ?? !environment.disabled;
  const otlp = enabled === false ? undefined : otlpOptions(options.otlp, environment);
  const events = onEvent === undefined ? undefined : new EventChannel(onEvent, problems);

  const { durability } = options;
  const delivery = (name: string, send: Send, timeoutMs?: number): Delivery =>
    new Delivery({
      name,
      send,
      problems,
      spool: enabled !== false ? durability?.open({ scope, destination: name, problems }) : undefined,
      prepare: (batch) => priced(batch, pipeline),
      maxBytes: options.queue?.maxBytes ?? 32_000_000,
      flushIntervalMs: options.queue?.flushIntervalMs ?? 200,
      sendTimeoutMs: timeoutMs ?? options.queue?.writeTimeoutMs ?? 10_000,
    });
  const toStore = delivery("store", sinkSender(sink));
  const toCollector = otlp && delivery("otlp", otlpSender(otlp), environment.otlp?.timeoutMs);
  const sampler = sampling && new DetailSampler(sampling, (record, before) => toStore.put(record, before));

  const measureCall = options.meter && createGenAiMetrics(options.meter);
  const ends = new Set<Promise<void>>();
  const { vault } = options;
  let vaultStats: (() => VaultStats) | undefined;
  const feed = vault && enabled !== false ? openFeed(vault, scope, problems) : undefined;
  void feed?.then((opened) => {
    vaultStats = opened && (() => opened.stats());
  });
  const deliver = (record: SpanRecord, live: LiveSpan, amended: boolean, raw: SpanRecord): void => {
    live.waiting = toStore.put(record, live.waiting);
    if (record.endTime === undefined) return;
    void feed?.then((opened) => problems.guard("vault", () => opened?.put(raw, record)));
    const { facts } = live;
    const synthetic = record.syntheticEnd !== undefined;
    if (facts !== undefined && !synthetic) sampler?.note(record, live, facts.execution);
    if (amended) return;
    toCollector?.put(record);
    // Nobody has ended it yet.
    if (synthetic) return;
    if (measureCall !== undefined) problems.guard("meter", () => measureCall(record));
    events?.emit("end", record);
    if (facts?.status !== undefined) sampler?.finish(record, facts.execution);
    if (onExecutionEnd === undefined || facts === undefined) return;
    facts.execution.totals.add(record);
    if (facts.status === undefined) return;
    const ending = tellEnd(record, facts, pipeline, onExecutionEnd, problems);
    ends.add(ending);
    void ending.finally(() => ends.delete(ending));
  };
  const processor = new StoreSpanProcessor({
    clean: (record) => pipeline.clean(record, { scope }),
    deliver,
    onStarted: events && ((record) => events.emit("start", record)),
    crowded: () => toStore.crowded,
    liveIntervalMs: options.queue?.flushIntervalMs ?? 200,
    timeoutMs: options.spanTimeoutMs ?? SPAN_TIMEOUT_MS,
    problems,
  });
  const provider = new PrivateProvider({
    resource: createResource(options, environment.resource),
    limits: environment.limits,
    store: processor,
    others: spanProcessors.map((own) => guardedProcessor(own, problems)),
  });
  const recorder = new Recorder({
    provider,
    enabled: () => {
      const recorded = typeof enabled === "function" ? enabled(scope) : enabled;
      if (recorded && registerGlobally) problems.guard("OpenTelemetry", joinOtherInstrumentations);
      return recorded;
    },
    problems,
    captureContent: options.captureContent ?? true,
    captureResults: options.captureResults ?? true,
    mirror: spanProcessors.length > 0,
  });

  const flush: WorkflowTracer["flush"] = async ({ timeoutMs = FLUSH_TIMEOUT_MS } = {}) => {
    problems.guard("flush", () => processor.writeRunning(true));
    const told = Promise.all([events?.drained(), ...ends]);
    const results = await Promise.all([
      toStore.flush(timeoutMs),
      toCollector?.flush(timeoutMs),
      settled(told, timeoutMs),
      feed?.then((opened) => opened?.flush(timeoutMs)),
    ]);
    return results.every((complete) => complete !== false);
  };
  const stats = (): TracerStats => ({
    ...toStore.stats(),
    ...(toCollector !== undefined && { otlp: toCollector.stats() }),
    ...(events !== undefined && { events: events.stats() }),
    ...(vaultStats !== undefined && { vault: vaultStats() }),
  });
  const deliveries = [toStore, toCollector].filter((delivery) => delivery !== undefined);
  const unhook = enabled === false ? undefined : hook(options, { flush, stats, deliveries }, problems);

  return {
    recorder,
    execution: (execution, run) => runSpan(() => startExecution(recorder, execution), run),
    startExecution: (execution) => startExecution(recorder, execution),
    spanProcessor: (hostSpans) => hostSpanProcessor(processor, flush, hostSpans, problems),
    activeSpan: () => recorder.active(),
    guard: (where, work) => problems.guard(where, work),
    flush,
    async deleteExecution(executionId) {
      const { eraseExecution } = await import("./erase.ts");
      return eraseExecution(executionId, { sink, deliveries, feed: await feed });
    },
    async shutdown({ timeoutMs = FLUSH_TIMEOUT_MS } = {}) {
      const flushed = await flush({ timeoutMs });
      await settled(provider.shutdown(), timeoutMs);
      await Promise.all([toStore.shutdown(0), toCollector?.shutdown(0)]);
      (await feed)?.close();
      unhook?.();
      return flushed;
    },
    stats,
  };
}

/** Most hosts have no vault: its code is loaded for those that do. Never rejects. */
async function openFeed(
  vault: ContentVault,
  scope: string,
  problems: ProblemReporter,
): Promise<VaultFeed | undefined> {
  try {
    const { VaultFeed } = await import("./vault-feed.ts");
    return new VaultFeed(vault, scope, problems);
  } catch (error) {
    problems.report(
      "internal",
      "vault",
      "Raw content is not kept: the code for it could not be loaded.",
      error,
    );
    return undefined;
  }
}

/** Everything that listens outside of the tracer. Gives the way back. */
function hook(
  { flushOnExit = true, flushOnSignals: signals = [], meter }: WorkflowTracerOptions,
  tracer: Pick<WorkflowTracer, "flush" | "stats"> & { deliveries: Delivery[] },
  problems: ProblemReporter,
): () => void {
  const flush = async (): Promise<void> => {
    if (await tracer.flush({ timeoutMs: EXIT_FLUSH_TIMEOUT_MS })) return;
    for (const delivery of tracer.deliveries) delivery.abort();
  };
  let wanted = true;
  const undo: (() => void)[] = flushOnExit ? [flushBeforeExit(flush)] : [];
  /** What only some hosts need is loaded when they ask for it. */
  const later = (name: string, load: () => Promise<(() => void) | undefined>): void => {
    load()
      .then((step) => step && undo.push(step))
      .catch((error: unknown) => {
        problems.report("invalid_argument", name, "The option could not be followed.", error);
      });
  };
  if (signals.length > 0)
    later("flushOnSignals", async () => {
      const { flushOnSignals } = await import("./signals.ts");
      return wanted ? flushOnSignals(signals, flush) : undefined;
    });
  if (meter !== undefined)
    later("meter", async () => {
      const { measure } = await import("./measure.ts");
      return wanted ? measure(meter, tracer.stats) : undefined;
    });
  return () => {
    wanted = false;
    for (const step of undo) step();
  };
}

/** Spans that ended before the price table was there get their cost now: it is loaded when the first span needs it. */
async function priced(batch: SpanRecord[], pipeline: Pipeline): Promise<SpanRecord[]> {
  if (!batch.some(({ usage, cost }) => usage !== undefined && cost === undefined)) return batch;
  if (!pipeline.priced) await settled(pipeline.ready, PRICES_TIMEOUT_MS);
  return batch.map((record) => pipeline.price(record));
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

/** Waits for the price table, so that a first short run has its cost, then tells the host. Never rejects. */
async function tellEnd(
  root: SpanRecord,
  { execution }: SpanFacts,
  pipeline: Pipeline,
  onExecutionEnd: (end: ExecutionEnd) => void | Promise<void>,
  problems: ProblemReporter,
): Promise<void> {
  try {
    if (execution.totals.hasUnpriced && !pipeline.priced) await settled(pipeline.ready, PRICES_TIMEOUT_MS);
    await onExecutionEnd(execution.totals.summarize(root, (record) => pipeline.price(record)));
  } catch (error) {
    problems.report("callback_failed", "onExecutionEnd", "onExecutionEnd failed.", error);
  }
}
