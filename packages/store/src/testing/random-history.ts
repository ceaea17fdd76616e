import {
  type Attributes,
  nanosFromMicros,
  SPAN_KINDS,
  type SpanRecord,
  type TokenUsage,
} from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { createRandom, type Random } from "./random.ts";

/** Everything that was ever written about some executions, as a network delivers it. */
export interface RandomHistory {
  /** In the order of their arrival, duplicates included. */
  batches: SpanRecord[][];
  /** Every id under which an execution may ever have been. */
  executionIds: string[];
}

/** Around the clock changes of Europe and South America in spring 2026. */
const START_MICROS = Date.UTC(2026, 2, 26) * 1000;
const HOUR_MICROS = 3_600_000_000;

/**
 * A history with everything that makes sums hard: spans that start, end, are timed out and end after all; revisions that
 * take usage back, move spans below other parents, to other nodes, times and executions; agents that repeat their
 * children's usage; executions inside a trace of another one; spans that nobody has named yet; cycles; several traces;
 * duplicates and disorder. The same seed gives the same history.
 */
export function randomHistory(seed: number): RandomHistory {
  const random = createRandom(seed);
  const executionIds = Array.from({ length: 1 + random.int(4) }, (_, index) => `run-${index}`);
  const maker = new HistoryMaker(random, executionIds);
  for (const executionId of executionIds) {
    for (let segments = random.chance(0.25) ? 2 : 1; segments > 0; segments--) {
      maker.addTrace(random.hex(32), executionId);
    }
  }
  const everyId = new Set(maker.records.flatMap((record) => [record.executionId, record.traceId]));
  return { batches: deliver(random, maker.records), executionIds: [...everyId] };
}

/** Cuts records into batches, some of them twice, in one of three orders. */
function deliver(random: Random, records: readonly SpanRecord[]): SpanRecord[][] {
  const doubled = records.flatMap((record) => (random.chance(0.15) ? [record, record] : [record]));
  const orders = [doubled, doubled.toReversed(), random.shuffled(doubled)];
  const queue = random.pick(orders);
  const batches: SpanRecord[][] = [];
  for (let at = 0; at < queue.length; ) {
    const batch = queue.slice(at, at + 1 + random.int(12));
    at += batch.length;
    batches.push(random.chance(0.2) ? [...batch, random.pick(batch)] : batch);
  }
  return batches;
}

class HistoryMaker {
  readonly records: SpanRecord[] = [];
  private readonly random: Random;
  private readonly executionIds: readonly string[];
  /** What this history's revisions may do. */
  private readonly revises: boolean;
  private readonly reparents: boolean;
  private readonly moves: boolean;
  private readonly cycles: boolean;

  constructor(random: Random, executionIds: readonly string[]) {
    this.random = random;
    this.executionIds = executionIds;
    this.revises = random.chance(0.7);
    this.reparents = this.revises && random.chance(0.4);
    this.moves = this.revises && random.chance(0.35);
    this.cycles = random.chance(0.1);
  }

  addTrace(traceId: string, executionId: string): void {
    const { random } = this;
    const base = START_MICROS + random.int(5 * 24) * HOUR_MICROS;
    const inner = random.chance(0.25) ? `${executionId}-inner` : undefined;
    const unnamedShare = random.pick([0, 0, 0.4, 0.9, 1]);
    const spans: SpanRecord[] = [];
    for (let index = 0, count = 1 + random.int(14); index < count; index++) {
      const span = this.makeSpan(traceId, base, spans, index);
      span.executionId = inner !== undefined && index > count / 2 ? inner : executionId;
      if (random.chance(index === 0 ? unnamedShare / 2 : unnamedShare)) span.executionId = traceId;
      spans.push(span);
    }
    if (this.cycles && spans.length > 3) random.pick(spans).parentSpanId = random.pick(spans).spanId;
    for (const span of spans.toReversed()) this.addUsage(span, spans);
    for (const span of spans) this.addVersions(span, spans);
  }

  private makeSpan(traceId: string, base: number, before: readonly SpanRecord[], index: number): SpanRecord {
    const { random } = this;
    const isRoot = index === 0;
    const start = base + random.int(40 * 3600) * 1_000_000 + random.int(1_000_000);
    const end = start + random.int(3_600_000_000);
    const hasNode = random.chance(0.5);
    const isWorkflow = isRoot && random.chance(0.7);
    return makeSpan({
      traceId,
      spanId: random.hex(16),
      parentSpanId: this.parentOf(isRoot, before),
      name: `span ${index}`,
      kind: isWorkflow ? "workflow" : random.pick(SPAN_KINDS.slice(1)),
      startTime: nanosFromMicros(start, random.int(1000)),
      endTime: random.chance(0.9) ? nanosFromMicros(end, random.int(1000)) : undefined,
      status: { code: random.pick(["ok", "unset", "unset", "error"] as const) },
      nodeId: hasNode ? `node-${random.int(4)}` : undefined,
      nodeType: hasNode && random.chance(0.7) ? random.pick(["agent", "tool", "loader"]) : undefined,
      attempt: hasNode && random.chance(0.5) ? 1 + random.int(3) : undefined,
      workflowId: random.chance(0.7) ? `workflow-${random.int(3)}` : undefined,
      workflowName: random.chance(0.6) ? `Workflow ${random.int(3)}` : undefined,
      threadId: random.chance(0.3) ? `thread-${random.int(2)}` : undefined,
      executionStatus:
        isRoot && random.chance(0.5)
          ? random.pick(["completed", "failed", "cancelled", "waiting", "running", "queued"] as const)
          : undefined,
      cache: random.chance(0.1)
        ? [{ keyspace: `keys-${random.int(3)}:*`, hits: random.int(5), misses: random.int(5) }]
        : undefined,
      resource: { attributes: random.chance(0.7) ? (RESOURCES[random.int(3)] ?? {}) : {} },
    });
  }

  private parentOf(isRoot: boolean, before: readonly SpanRecord[]): string | undefined {
    const { random } = this;
    if (isRoot) return random.chance(0.35) ? random.hex(16) : undefined;
    if (random.chance(0.05)) return random.hex(16);
    if (random.chance(0.05)) return undefined;
    return (random.chance(0.4) ? before.at(-1) : random.pick(before))?.spanId;
  }

  /** Leaves have usage of their own; some parents repeat their children's, some report alone; some tools have a fee. */
  private addUsage(span: SpanRecord, spans: readonly SpanRecord[]): void {
    const { random } = this;
    if (span.kind === "llm" || span.kind === "embedding") {
      if (random.chance(0.85)) this.use(span, this.usage());
    } else if (span.kind === "tool" || span.kind === "http") {
      if (random.chance(0.3)) span.cost = { nanoUsd: random.int(9_000_000), source: "reported" };
    } else if (random.chance(0.4)) {
      const children = spans.filter((child) => child.parentSpanId === span.spanId && child.usage);
      if (children.length === 0) {
        if (random.chance(0.3)) this.use(span, this.usage());
        return;
      }
      const sum = (field: "input" | "output"): number =>
        children.reduce((total, child) => total + (child.usage?.[field] ?? 0), 0);
      this.use(span, { input: sum("input"), output: sum("output") });
    }
  }

  private use(span: SpanRecord, usage: TokenUsage): void {
    const { random } = this;
    span.usage = usage;
    if (random.chance(0.8)) span.model = `model-${random.int(3)}`;
    if (random.chance(0.8)) span.provider = `provider-${random.int(2)}`;
    if (random.chance(0.7)) span.cost = { nanoUsd: random.int(50_000_000), source: "computed" };
  }

  private usage(): TokenUsage {
    const { random } = this;
    if (random.chance(0.12)) return { input: 0, output: 0 };
    return {
      input: 1 + random.int(1000),
      ...(random.chance(0.8) && { output: random.int(500) }),
      ...(random.chance(0.3) && { cachedInput: random.int(100) }),
      ...(random.chance(0.1) && { cacheWrite: random.int(100) }),
      ...(random.chance(0.2) && { reasoning: random.int(50) }),
      ...(random.chance(0.1) && { total: random.int(2000) }),
    };
  }

  private addVersions(span: SpanRecord, spans: readonly SpanRecord[]): void {
    const { random, records } = this;
    if (span.endTime !== undefined && random.chance(0.6)) {
      const { endTime, usage, cost, executionStatus, ...start } = span;
      records.push(executionStatus === undefined ? start : { ...start, executionStatus: "running" });
    }
    if (span.endTime !== undefined && random.chance(0.1)) {
      const { usage, cost, ...lost } = span;
      records.push({ ...lost, syntheticEnd: random.pick(["timed_out", "process_lost"] as const) });
    }
    if (span.endTime !== undefined && random.chance(0.05)) span.syntheticEnd = "process_lost";
    records.push(span);
    for (let revision = 1; this.revises && revision < 4 && random.chance(0.3); revision++) {
      records.push({ ...this.revise(span, spans), revision });
    }
  }

  private revise(span: SpanRecord, spans: readonly SpanRecord[]): SpanRecord {
    const { random } = this;
    const kinds = ["reset", "usage", "node", "time", "workflow", "kind", "error", "attempt"];
    if (this.reparents) kinds.push("parent", "parent", "root");
    if (this.moves) kinds.push("execution", "execution", "unnamed");
    const revised: SpanRecord = { ...span };
    const kind = random.pick(kinds);
    if (kind === "reset") {
      delete revised.usage;
      delete revised.cost;
    } else if (kind === "usage") this.use(revised, this.usage());
    else if (kind === "node") revised.nodeId = `node-${random.int(4)}`;
    else if (kind === "time") revised.startTime = shifted(span.startTime, random.int(7200) - 3600);
    else if (kind === "workflow") revised.workflowId = `workflow-${random.int(3)}`;
    else if (kind === "kind") revised.kind = random.pick(SPAN_KINDS);
    else if (kind === "error") revised.status = { code: "error", message: "revised" };
    else if (kind === "attempt") revised.attempt = 1 + random.int(4);
    else if (kind === "parent") revised.parentSpanId = random.pick(spans).spanId;
    else if (kind === "root") delete revised.parentSpanId;
    else if (kind === "execution") revised.executionId = random.pick(this.executionIds);
    else revised.executionId = revised.traceId;
    return revised;
  }
}

const RESOURCES: Attributes[] = [
  { "service.name": "studio", "service.version": "1.2.0", "deployment.environment.name": "production" },
  { "service.name": "worker", "deployment.environment": "staging" },
  { "service.name": "", "service.version": 7 },
];

function shifted(time: string, seconds: number): string {
  return (BigInt(time) + BigInt(seconds) * 1_000_000_000n).toString();
}
