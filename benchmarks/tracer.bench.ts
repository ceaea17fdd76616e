// What a span costs the host's main thread: ours, cleaned and queued for a store, against bare OpenTelemetry.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { context, type Tracer, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { SpanSink } from "@spanloom/model";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { createDiskSpool } from "@spanloom/tracer/durable";
import { against, type BenchBudget, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { ownCode } from "./own-code.ts";

const EXECUTIONS = 200;
const NODES = 20;
const SPANS = EXECUTIONS * (NODES + 1);
const WARM_UP_ROUNDS = 5;
const ROUNDS = 21;
const LIMIT = 2;

interface Contender {
  name: string;
  /** One execution. */
  run: () => void;
  /** Everything is delivered: part of the cost. */
  flush: () => Promise<unknown>;
}

export default async function bench(): Promise<BenchResult> {
  // As in a host that uses OpenTelemetry, so that callbacks find their parents; both sides pay for it.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const provider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(noExporter, { maxQueueSize: SPANS * 2 })],
  });
  const otel = provider.getTracer("bench");
  const tracer = createWorkflowTracer({ store: noStore, flushOnExit: false });
  const bare = (name: string, run: () => void): Contender => ({
    name,
    run,
    flush: () => provider.forceFlush(),
  });
  const ours = (name: string, run: () => void): Contender => ({ name, run, flush: () => tracer.flush() });
  const pairs: [base: Contender, measured: Contender][] = [
    [
      bare("bare OpenTelemetry, callbacks", () => bareCallbacks(otel)),
      ours("spanloom, callbacks", () => ourCallbacks(tracer)),
    ],
    [
      bare("bare OpenTelemetry, by hand", () => bareByHand(otel)),
      ours("spanloom, by hand", () => oursByHand(tracer)),
    ],
  ];

  const together = await ownCode("tracer", true);
  const result: BenchResult = {
    cases: [summarize("tracer core with pipeline and model, gzip", "KB", [together.bytes / 1000])],
    budgets: [await sizeBudget()],
  };
  for (const [base, measured] of pairs) {
    const [baseCase, measuredCase] = await compare(base, measured);
    const ratio = measuredCase.ratioTo?.ratio ?? Number.NaN;
    result.cases.push(baseCase, measuredCase);
    result.budgets.push({
      what: `${measured.name}: main-thread CPU per span, redaction and pricing on, 10 attributes, against bare OpenTelemetry with a no-op exporter`,
      limit: `<= ${LIMIT}x`,
      value: `${ratio.toFixed(2)}x`,
      ok: ratio <= LIMIT,
    });
  }
  for (const mode of ["batched", "immediate"] as const) {
    const spooled = await againstSpool(
      mode,
      ours("spanloom, callbacks", () => ourCallbacks(tracer)),
    );
    result.cases.push(spooled);
  }
  await tracer.shutdown();
  const { accepted, stored } = tracer.stats();
  if (stored !== accepted)
    throw new Error(`Only ${stored} of ${accepted} spans were stored: the figures say nothing.`);
  await provider.shutdown();
  context.disable();
  return result;
}

/** Both in one run, round by round. */
async function compare(
  base: Contender,
  measured: Contender,
): Promise<[base: BenchCase, measured: BenchCase]> {
  const rounds: [number[], number[]] = [[], []];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    // Whoever goes second may pay for the other's garbage: they take turns.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const side of order) {
      const spent = await microsPerSpan(side === 0 ? base : measured);
      if (round >= WARM_UP_ROUNDS) rounds[side as 0 | 1].push(spent);
    }
  }
  const baseCase = summarize(base.name, "us/span", rounds[0]);
  const measuredCase = against(summarize(measured.name, "us/span", rounds[1]), baseCase);
  return [baseCase, measuredCase];
}

/** What the disk behind a tracer costs the main thread: in `immediate` mode each record is one write before it is accepted. */
async function againstSpool(mode: "batched" | "immediate", plain: Contender): Promise<BenchCase> {
  const directory = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
  const tracer = createWorkflowTracer({
    store: noStore,
    flushOnExit: false,
    durability: createDiskSpool({ directory, mode }),
  });
  const [, measured] = await compare(plain, {
    name: `spanloom, callbacks, ${mode} disk spool`,
    run: () => ourCallbacks(tracer),
    flush: () => tracer.flush(),
  });
  await tracer.shutdown();
  rmSync(directory, { recursive: true, force: true });
  return measured;
}

/** CPU time of the main thread, not of the collector's helpers; wall time where Node cannot say (before 23.9). */
async function microsPerSpan({ run, flush }: Contender): Promise<number> {
  const start = threadMicros();
  for (let index = 0; index < EXECUTIONS; index++) {
    run();
    // A host's loop turns between executions: timers fire and promises settle, for both sides alike.
    await setImmediate();
  }
  await flush();
  return (threadMicros() - start) / SPANS;
}

function threadMicros(): number {
  if (typeof process.threadCpuUsage !== "function") return performance.now() * 1000;
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function bareCallbacks(tracer: Tracer): void {
  tracer.startActiveSpan("workflow", { root: true, attributes: { "workflow.id": "bench" } }, (root) => {
    for (let node = 0; node < NODES; node++) {
      tracer.startActiveSpan(`node ${node}`, { attributes: attributesOf(node) }, (span) => span.end());
    }
    root.end();
  });
}

function ourCallbacks(tracer: WorkflowTracer): void {
  tracer.execution({ workflowId: "bench", workflowName: "workflow" }, (execution) => {
    for (let node = 0; node < NODES; node++) {
      execution.node({ id: `node ${node}`, attributes: attributesOf(node) }, () => undefined);
    }
  });
}

function bareByHand(tracer: Tracer): void {
  const root = tracer.startSpan("workflow", { root: true, attributes: { "workflow.id": "bench" } });
  const within = trace.setSpan(context.active(), root);
  for (let node = 0; node < NODES; node++) {
    tracer.startSpan(`node ${node}`, { attributes: attributesOf(node) }, within).end();
  }
  root.end();
}

function oursByHand(tracer: WorkflowTracer): void {
  const execution = tracer.startExecution({ workflowId: "bench", workflowName: "workflow" });
  for (let node = 0; node < NODES; node++) {
    execution.startNode({ id: `node ${node}`, attributes: attributesOf(node) }).end();
  }
  execution.end();
}

const SIZE_LIMIT_KB = 15;

/** The tracer's own code, as a host's bundler would ship it. */
async function sizeBudget(): Promise<BenchBudget> {
  const { bytes, files } = await ownCode("tracer");
  for (const { file, bytes: part } of files)
    console.log(`${String(part).padStart(6)} bytes minified  ${file}`);
  const kilobytes = bytes / 1000;
  return {
    what: "tracer core, own code, minified and gzipped",
    limit: `<= ${SIZE_LIMIT_KB} KB`,
    value: `${kilobytes.toFixed(1)} KB`,
    ok: kilobytes <= SIZE_LIMIT_KB,
  };
}

let count = 0;

/** Payload S of the budgets: ten attributes, as a host sets them. Three of the six texts are new on every span. */
function attributesOf(node: number): Record<string, string | number | boolean> {
  count++;
  return {
    "app.step": node,
    "app.step.name": `Step ${node} of the review`,
    "app.customer": `customer-${count}`,
    "app.region": "eu-central-1",
    "app.retryable": true,
    "app.queue": "default",
    "app.document.pages": 12,
    "app.document.name": `invoice-${count}.pdf`,
    "app.confidence": 0.87,
    "app.note": `Read all pages, found ${count} totals and compared them with the order.`,
  };
}

const noExporter: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
};

const noStore: SpanSink = {
  write: (spans) => Promise.resolve({ written: spans.length, unchanged: 0, rejected: [] }),
};
