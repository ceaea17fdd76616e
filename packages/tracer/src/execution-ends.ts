import {
  addCost,
  addUsage,
  bearsBelow,
  type CostSum,
  contributionOf,
  type ExecutionStatus,
  emptyCostSum,
  emptyUsageSum,
  type SpanRecord,
  type SpanSkeleton,
  spanKey,
  traceIdToUuid,
  type UsageSum,
} from "@spanloom/model";
import type { Pipeline } from "@spanloom/pipeline";
import type { ExecutionFacts } from "./facts.ts";
import type { ProblemReporter } from "./problems.ts";
import { settled } from "./wait.ts";

/** What `onExecutionEnd` gets: enough for a row in the host's own table of runs. */
export interface ExecutionEnd {
  executionId: string;
  workflowId?: string;
  workflowName?: string;
  threadId?: string;
  status: ExecutionStatus;
  /** As a UUID with dashes. */
  traceId: string;
  /** 16 hex digits. */
  rootSpanId: string;
  /** Unix nanoseconds, in decimal digits. */
  startTime: string;
  endTime: string;
  /** Spans that ended before the execution did, its root included. */
  spanCount: number;
  errorCount: number;
  /** Tokens and costs of these spans, each counted once although parents repeat what their children used. */
  usage: UsageSum;
  cost: CostSum;
}

const PRICES_TIMEOUT_MS = 2_000;

/** Adds up the spans of each execution while they end, and tells the host when its root does. */
export class ExecutionEnds {
  readonly #tell: (end: ExecutionEnd) => void | Promise<void>;
  readonly #pipeline: Pipeline;
  readonly #problems: ProblemReporter;
  readonly #totals = new WeakMap<ExecutionFacts["root"], ExecutionTotals>();
  readonly #telling = new Set<Promise<void>>();

  constructor(
    tell: (end: ExecutionEnd) => void | Promise<void>,
    pipeline: Pipeline,
    problems: ProblemReporter,
  ) {
    this.#tell = tell;
    this.#pipeline = pipeline;
    this.#problems = problems;
  }

  /** A span ended. */
  add(record: SpanRecord, execution: ExecutionFacts): void {
    this.#of(execution).add(record);
  }

  /** The execution's root ended. */
  finish(root: SpanRecord, execution: ExecutionFacts): void {
    const telling = this.#finish(root, this.#of(execution));
    this.#telling.add(telling);
    void telling.finally(() => this.#telling.delete(telling));
  }

  /** Resolves when the host has taken every end so far. */
  async drained(): Promise<void> {
    await Promise.all(this.#telling);
  }

  /** Waits for the price table, so that a first short run has its cost. Never rejects. */
  async #finish(root: SpanRecord, totals: ExecutionTotals): Promise<void> {
    try {
      if (totals.hasUnpriced && !this.#pipeline.priced)
        await settled(this.#pipeline.ready, PRICES_TIMEOUT_MS);
      await this.#tell(totals.summarize(root, (record) => this.#pipeline.price(record)));
    } catch (error) {
      this.#problems.report("callback_failed", "onExecutionEnd", "onExecutionEnd failed.", error);
    }
  }

  #of({ root }: ExecutionFacts): ExecutionTotals {
    let totals = this.#totals.get(root);
    if (totals === undefined) {
      totals = new ExecutionTotals();
      this.#totals.set(root, totals);
    }
    return totals;
  }
}

/** The little of a span that sums need: the record itself is let go as soon as it is delivered. */
type TinySpan = Pick<SpanSkeleton, "traceId" | "spanId" | "parentSpanId" | "kind" | "usage" | "cost">;

/** The sums of one run of an execution. */
class ExecutionTotals {
  readonly #spans: TinySpan[] = [];
  /** Records with tokens that came before the price table did. */
  readonly #unpriced = new Map<number, SpanRecord>();
  #errorCount = 0;

  add(record: SpanRecord): void {
    const { traceId, spanId, parentSpanId, kind, usage, cost } = record;
    const span: TinySpan = { traceId, spanId, kind };
    if (parentSpanId !== undefined) span.parentSpanId = parentSpanId;
    if (usage !== undefined) span.usage = usage;
    if (cost !== undefined) span.cost = cost;
    if (usage !== undefined && cost === undefined) {
      const { input: _in, output: _out, stateBefore: _before, stateAfter: _after, ...rest } = record;
      this.#unpriced.set(this.#spans.length, rest);
    }
    if (record.status.code === "error") this.#errorCount++;
    this.#spans.push(span);
  }

  /** True when a price table that loads meanwhile could still say more. */
  get hasUnpriced(): boolean {
    return this.#unpriced.size > 0;
  }

  summarize(root: SpanRecord, price: (record: SpanRecord) => SpanRecord): ExecutionEnd {
    for (const [index, record] of this.#unpriced) {
      const span = this.#spans[index];
      const { cost } = price(record);
      if (span !== undefined && cost !== undefined) span.cost = cost;
    }
    this.#unpriced.clear();
    const usage = emptyUsageSum();
    const cost = emptyCostSum();
    const below = bearsBelow(this.#spans);
    for (const span of this.#spans) {
      const counted = contributionOf(span, below.get(spanKey(span)) ?? 0);
      if (counted?.usage !== undefined) addUsage(usage, counted.usage);
      if (counted?.nanoUsd !== undefined || counted?.unpriced) addCost(cost, counted.nanoUsd);
    }
    const end: ExecutionEnd = {
      executionId: root.executionId,
      status: root.executionStatus ?? "completed",
      traceId: traceIdToUuid(root.traceId),
      rootSpanId: root.spanId,
      startTime: root.startTime,
      endTime: root.endTime ?? root.startTime,
      spanCount: this.#spans.length,
      errorCount: this.#errorCount,
      usage,
      cost,
    };
    if (root.workflowId !== undefined) end.workflowId = root.workflowId;
    if (root.workflowName !== undefined) end.workflowName = root.workflowName;
    if (root.threadId !== undefined) end.threadId = root.threadId;
    return end;
  }
}
