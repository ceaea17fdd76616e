import {
  type CostItem,
  computeAnalytics,
  computeDailyCosts,
  computeRunMetrics,
  costItems,
  createSpanSearch,
  currentSpans,
  type ExecutionStats,
  executionStats,
  isUnnamed,
  namingSpan,
  summarizeExecution,
} from "@spanloom/metrics";
import {
  type Analytics,
  type AnalyticsQuery,
  canonicalJson,
  compareNanos,
  compareRecords,
  type DailyCosts,
  type DailyCostsQuery,
  decodeCursor,
  type ExecutionDetail,
  type ExecutionSummary,
  encodeCursor,
  type GetTraceQuery,
  invalidCursor,
  isUnixNanos,
  type ListExecutionsQuery,
  type Page,
  type PruneReport,
  type PruneRequest,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  type RejectedSpan,
  type RunMetrics,
  recordProblem,
  type ScopedStore,
  type SearchSpansQuery,
  SpanloomError,
  type SpanMatches,
  type SpanRecord,
  type StoreCapabilities,
  spanKey,
  type TraceChanges,
  type TracePage,
  type TraceStore,
  toSkeleton,
  type WriteReceipt,
} from "@spanloom/model";
import {
  checkExecutionIds,
  checkOneOf,
  checkRecords,
  checkScope,
  checkWhole,
  storeClosed,
} from "../check-arguments.ts";
import { fingerprintOf, listPage } from "../list-query.ts";
import { createPageRoom } from "../page-room.ts";
import { redactStored } from "../redact-stored.ts";
import { inPageOrder } from "./expected.ts";

export const PLAIN_CAPABILITIES: StoreCapabilities = {
  durability: "memory",
  concurrentWriters: false,
  crossProcessReads: false,
  erasure: "immediate",
  provenSpansPerExecution: 1_000,
};

/**
 * A store without a single idea: it keeps the records, and computes every answer from all of them each time it is asked.
 * The tests of the kit plant their faults in it, because whatever it gets wrong was put there.
 */
export function createPlainStore(
  makeScope: (scope: string) => PlainScope = (scope) => new PlainScope(scope),
): TraceStore {
  const scopes = new Map<string, PlainScope>();
  let closed = false;
  return {
    name: "plain",
    capabilities: PLAIN_CAPABILITIES,
    forScope(scope) {
      if (closed) throw storeClosed("plain");
      const name = checkScope(scope);
      const scoped = scopes.get(name) ?? makeScope(name);
      scopes.set(name, scoped);
      return scoped;
    },
    async prune(request) {
      if (closed) throw storeClosed("plain");
      const report: PruneReport = { executions: 0, spans: 0, more: false };
      for (const scope of scopes.values()) {
        const limit = (request.limit ?? 200) - report.executions;
        const { executions, spans, more } = await scope.prune({ ...request, limit: Math.max(1, limit) });
        report.executions += executions;
        report.spans += spans;
        report.more ||= more;
      }
      return report;
    },
    async close() {
      closed = true;
      for (const scope of scopes.values()) scope.closed = true;
    },
  };
}

interface FeedEntry {
  traceId: string;
  spanId: string;
  /** False for the tombstone of a span that went away. */
  here: boolean;
  insSeq: number;
  seq: number;
}

interface Feed {
  seq: number;
  /** By span key, in the order of `seq`. */
  entries: Map<string, FeedEntry>;
}

export class PlainScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities = PLAIN_CAPABILITIES;
  closed = false;
  /** Winners as they were written, by span key. */
  protected records: Map<string, SpanRecord> = new Map();
  /** The same as they are read. */
  protected views: Map<string, SpanRecord> = new Map();
  protected readonly feeds: Map<string, Feed> = new Map();
  protected readonly deletedExecutions: Set<string> = new Set();
  protected readonly deletedTraces: Set<string> = new Set();
  protected watermark = "0";
  protected keptItems: CostItem[] = [];
  protected keptStats: ExecutionStats[] = [];
  private readonly watchers = new Map<string, Set<() => void>>();

  constructor(scope: string) {
    this.scope = scope;
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    this.checkOpen();
    const receipt: WriteReceipt = { written: 0, unchanged: 0, rejected: [] };
    const written: string[] = [];
    const records = new Map(this.records);
    checkRecords(spans).forEach((given, index) => {
      const record = this.admit(given, records);
      if ("code" in record) receipt.rejected.push({ index, ...record });
      else {
        const key = spanKey(record);
        const held = records.get(key);
        if (held !== undefined && !this.wins(record, held)) receipt.unchanged++;
        else {
          records.set(key, record);
          written.push(key);
          receipt.written++;
        }
      }
    });
    this.commit(records, written);
    return receipt;
  }

  async deleteExecution(executionId: string): Promise<boolean> {
    this.checkOpen();
    const gone = this.spansOf(executionId);
    if (gone.length === 0) return false;
    this.deletedExecutions.add(executionId);
    const records = new Map(this.records);
    for (const span of gone) {
      const ofTrace = [...this.records.values()].filter((record) => record.traceId === span.traceId);
      const owner = namingSpan(ofTrace)?.executionId ?? span.traceId;
      if (owner === executionId) this.deletedTraces.add(span.traceId);
      records.delete(spanKey(span));
    }
    this.commit(records, []);
    return true;
  }

  async prune({ before, sumsBefore, limit = 200 }: PruneRequest): Promise<PruneReport> {
    this.checkOpen();
    const until = checkTime(before, "before");
    const most = checkWhole(limit, "limit", { least: 1, most: 10_000, fallback: 200 });
    if (sumsBefore !== undefined) this.dropSums(checkTime(sumsBefore, "sumsBefore"));
    if (compareNanos(until, this.watermark) > 0) this.watermark = until;
    const report: PruneReport = { executions: 0, spans: 0, more: false };
    for (const component of this.components()) {
      const spans = component.flatMap((id) => this.spansOf(id));
      if (!spans.every((span) => this.isOld(span, until))) continue;
      if (report.executions >= most) {
        report.more = true;
        break;
      }
      report.executions += component.length;
      report.spans += spans.length;
      this.keep(component);
      for (const id of component) this.feeds.delete(id);
      for (const span of spans) {
        this.records.delete(spanKey(span));
        this.views.delete(spanKey(span));
      }
    }
    return report;
  }

  async redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    this.checkOpen();
    return redactStored(this, rule, selection);
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    this.checkOpen();
    return { executions: this.executionIds().length, corrected: [] };
  }

  async listExecutions(query?: ListExecutionsQuery): Promise<Page<ExecutionSummary>> {
    this.checkOpen();
    return listPage(
      this.executionIds().map((id) => summaryOf(this.detail(id))),
      query,
    );
  }

  async getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]> {
    this.checkOpen();
    const known = checkExecutionIds(executionIds).filter((id) => this.has(id));
    return known.map((id) => summaryOf(this.detail(id)));
  }

  async getExecution(executionId: string): Promise<ExecutionDetail | undefined> {
    this.checkOpen();
    return this.has(executionId) ? this.detail(executionId) : undefined;
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    this.checkOpen();
    if (!this.has(executionId)) return undefined;
    const view = checkOneOf(query.view, "view", ["skeleton", "full"] as const, "skeleton");
    const limit = checkWhole(query.limit, "limit", {
      ...{ least: 1, most: 10_000, fallback: view === "full" ? 500 : 10_000 },
    });
    const asked = checkWhole(query.asOfSeq, "asOfSeq", { fallback: this.seqOf(executionId) });
    const mark = fingerprintOf([executionId]);
    const from = readCursor(query.cursor, mark);
    if (from !== undefined && query.asOfSeq !== undefined && from.seq !== asked) throw invalidCursor();
    const asOfSeq = Math.min(from?.seq ?? asked, this.seqOf(executionId));
    const order = this.orderAsOf(executionId, asOfSeq);
    const fits = createPageRoom();
    const spans: TracePage["spans"] = [];
    let index = resume(order, from);
    for (; index < order.length && spans.length < limit; index++) {
      const span = structuredClone(
        view === "full" ? order[index] : toSkeleton(order[index] as SpanRecord),
      ) as SpanRecord;
      if (!fits(JSON.stringify(span).length)) break;
      spans.push(span);
    }
    const last = order[index - 1];
    return {
      execution: summaryOf(this.detail(executionId)),
      spans,
      asOfSeq,
      spanCount: order.length,
      ...(index < order.length &&
        last && { nextCursor: encodeCursor([mark, asOfSeq, index, spanKey(last)]) }),
    };
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    this.checkOpen();
    const found = this.spansOf(executionId).find(
      (span) => span.spanId === spanId && (traceId === undefined || span.traceId === traceId),
    );
    return structuredClone(found);
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    this.checkOpen();
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    const feed = this.feeds.get(executionId);
    if (feed === undefined || (!this.has(executionId) && (since === 0 || since >= feed.seq)))
      return undefined;
    const execution = summaryOf(this.detail(executionId));
    const changes: TraceChanges = { execution, spans: [], removed: [], seq: feed.seq, more: false };
    const fits = createPageRoom();
    for (const [key, { traceId, spanId, here, seq: at }] of feed.entries) {
      if (at <= since) continue;
      const span = here ? structuredClone(toSkeleton(this.views.get(key) as SpanRecord)) : undefined;
      const full = changes.spans.length + changes.removed.length === limit;
      if (full || (span !== undefined && !fits(JSON.stringify(span).length))) {
        changes.more = true;
        break;
      }
      if (span === undefined) changes.removed.push({ traceId, spanId });
      else changes.spans.push(span);
      changes.seq = at;
    }
    if (!changes.more) changes.seq = feed.seq;
    return changes;
  }

  async searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    this.checkOpen();
    const search = createSpanSearch(query);
    const limit = checkWhole(query.limit, "limit", { least: 1, most: 1_000, fallback: 200 });
    const mark = fingerprintOf([executionId, query.text, query.places]);
    const from = readCursor(query.cursor, mark);
    if (!this.has(executionId)) return undefined;
    const asOfSeq = from?.seq ?? this.seqOf(executionId);
    const order = this.orderAsOf(executionId, asOfSeq);
    const items: SpanMatches["items"] = [];
    let index = resume(order, from);
    for (; index < order.length && items.length < limit; index++) {
      const span = order[index] as SpanRecord;
      const hits = search(span);
      if (hits.length > 0) items.push({ traceId: span.traceId, spanId: span.spanId, hits });
    }
    const last = order[index - 1];
    return {
      items,
      asOfSeq,
      ...(index < order.length &&
        last && { nextCursor: encodeCursor([mark, asOfSeq, index, spanKey(last)]) }),
    };
  }

  async getRunMetrics(executionId: string): Promise<RunMetrics | undefined> {
    this.checkOpen();
    if (!this.has(executionId)) return undefined;
    return computeRunMetrics(executionId, this.allViews(), this.seqOf(executionId));
  }

  async getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts> {
    this.checkOpen();
    return computeDailyCosts(query, [...this.keptItems, ...costItems(this.allViews())], Date.now());
  }

  async getAnalytics(query: AnalyticsQuery): Promise<Analytics> {
    this.checkOpen();
    const items = [...this.keptItems, ...costItems(this.allViews())];
    const stats = [...this.keptStats, ...this.executionIds().map((id) => this.statsOf(id))];
    return computeAnalytics(query, stats, items, Date.now());
  }

  watch(executionId: string, wake: () => void): () => void {
    this.checkOpen();
    const watchers = this.watchers.get(executionId) ?? new Set();
    this.watchers.set(executionId, watchers);
    const watcher = (): void => wake();
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }

  /** Which of two records of a span is kept. */
  protected wins(given: SpanRecord, held: SpanRecord): boolean {
    return compareRecords(given, held) > 0;
  }

  protected problemOf(given: unknown): string | undefined {
    return recordProblem(given);
  }

  /** Winners as they are read. */
  protected read(records: Iterable<SpanRecord>): SpanRecord[] {
    return currentSpans(records);
  }

  /** Nothing happened in the span since. */
  protected isOld(span: SpanRecord, before: string): boolean {
    const { startTime, endTime = startTime } = span;
    return compareNanos(startTime, before) < 0 && compareNanos(endTime, before) < 0;
  }

  /** Executions that share traces, also through others. */
  protected components(): string[][] {
    const components: { ids: Set<string>; traces: Set<string> }[] = [];
    for (const id of this.executionIds()) {
      const own = { ids: new Set([id]), traces: new Set(this.spansOf(id).map((span) => span.traceId)) };
      for (const other of components.filter(({ traces }) =>
        [...traces].some((trace) => own.traces.has(trace)),
      )) {
        own.ids = new Set([...own.ids, ...other.ids]);
        own.traces = new Set([...own.traces, ...other.traces]);
        components.splice(components.indexOf(other), 1);
      }
      components.push(own);
    }
    return components.map(({ ids }) => [...ids]);
  }

  /** Keeps what executions added to sums over time. */
  protected keep(executionIds: readonly string[]): void {
    const spans = this.allViews();
    const traces = new Set(executionIds.flatMap((id) => this.spansOf(id)).map((span) => span.traceId));
    this.keptItems.push(...costItems(spans.filter((span) => traces.has(span.traceId))));
    this.keptStats.push(...executionIds.map((id) => this.statsOf(id)));
  }

  /** Executions whose sums the commit may have changed beside those whose spans it changed. */
  protected disturbed(traceIds: ReadonlySet<string>): Set<string> {
    const ids = this.allViews().filter((span) => traceIds.has(span.traceId));
    return new Set(ids.map((span) => span.executionId));
  }

  protected detail(executionId: string): ExecutionDetail {
    return structuredClone(summarizeExecution(executionId, this.allViews(), this.seqOf(executionId)));
  }

  protected allViews(): SpanRecord[] {
    return [...this.views.values()];
  }

  protected spansOf(executionId: string): SpanRecord[] {
    return this.allViews().filter((span) => span.executionId === executionId);
  }

  /** A copy made of JSON alone; or why it cannot be stored. */
  private admit(
    given: unknown,
    records: ReadonlyMap<string, SpanRecord>,
  ): SpanRecord | Omit<RejectedSpan, "index"> {
    let record: SpanRecord;
    try {
      const problem = this.problemOf(given);
      if (problem !== undefined) return { code: "invalid_record", message: problem };
      record = JSON.parse(JSON.stringify(given));
    } catch {
      return { code: "invalid_record", message: "record: cannot be read as JSON" };
    }
    const { executionId, traceId } = record;
    if (this.deletedExecutions.has(executionId) || (isUnnamed(record) && this.deletedTraces.has(traceId))) {
      return { code: "deleted_execution", message: "executionId: this execution was deleted" };
    }
    if (this.isOld(record, this.watermark) && !this.joins(record, records)) {
      return { code: "past_retention", message: "startTime: retention has removed what was then" };
    }
    return record;
  }

  protected joins(record: SpanRecord, records: ReadonlyMap<string, SpanRecord>): boolean {
    const views = this.read([...records.values(), record]);
    const own = views.find((span) => spanKey(span) === spanKey(record))?.executionId;
    return (
      views.some((span) => span.executionId === own && spanKey(span) !== spanKey(record)) ||
      records.has(spanKey(record))
    );
  }

  /** Makes these the records, and numbers what that changed. */
  private commit(records: Map<string, SpanRecord>, written: readonly string[]): void {
    const before = this.views;
    const views = new Map(this.read(records.values()).map((span) => [spanKey(span), span]));
    const keys = [...new Set([...written, ...before.keys(), ...views.keys()])].filter((key) => {
      const [old, now] = [before.get(key), views.get(key)];
      return old !== now && canonicalJson(old) !== canonicalJson(now);
    });
    const traces = new Set(keys.map((key) => (views.get(key) ?? before.get(key))?.traceId ?? ""));
    const details = new Map([...this.disturbed(traces)].map((id) => [id, this.answerOf(id)]));
    this.records = records;
    this.views = views;
    const changed = new Set<string>();
    for (const key of keys) {
      const [old, now] = [before.get(key), views.get(key)];
      const moved = old?.executionId !== now?.executionId;
      if (old !== undefined && moved) this.number(old.executionId, key, old, false, changed);
      if (now !== undefined) this.number(now.executionId, key, now, true, changed);
    }
    for (const [id, answer] of details) {
      if (changed.has(id) || !this.has(id) || answer === this.answerOf(id)) continue;
      this.feedOf(id).seq++;
      changed.add(id);
    }
    for (const id of changed) {
      for (const wake of this.watchers.get(id) ?? []) queueMicrotask(() => quietly(wake));
    }
  }

  private answerOf(executionId: string): string {
    return canonicalJson(this.detail(executionId));
  }

  private number(
    id: string,
    key: string,
    { traceId, spanId }: SpanRecord,
    here: boolean,
    changed: Set<string>,
  ): void {
    const feed = this.feedOf(id);
    const known = feed.entries.get(key);
    const seq = ++feed.seq;
    const insSeq = here && known?.here ? known.insSeq : seq;
    feed.entries.delete(key);
    feed.entries.set(key, { traceId, spanId, here, insSeq, seq });
    changed.add(id);
  }

  private feedOf(executionId: string): Feed {
    const feed = this.feeds.get(executionId) ?? { seq: 0, entries: new Map() };
    this.feeds.set(executionId, feed);
    return feed;
  }

  private orderAsOf(executionId: string, asOfSeq: number): SpanRecord[] {
    const entries = this.feeds.get(executionId)?.entries ?? new Map<string, FeedEntry>();
    return inPageOrder(
      this.spansOf(executionId).filter((span) => (entries.get(spanKey(span))?.insSeq ?? 0) <= asOfSeq),
    );
  }

  protected statsOf(executionId: string): ExecutionStats {
    return executionStats(this.detail(executionId), this.spansOf(executionId));
  }

  protected dropSums(sumsBefore: string): void {
    const day = Math.floor(Number(BigInt(sumsBefore) / 1_000_000_000n) / 86_400) * 86_400;
    this.keptItems = this.keptItems.filter(({ startTime }) => BigInt(startTime) / 1_000_000_000n >= day);
    this.keptStats = this.keptStats.filter(({ bucket }) => bucket >= day);
  }

  private executionIds(): string[] {
    return [...new Set(this.allViews().map((span) => span.executionId))];
  }

  protected has(executionId: string): boolean {
    return this.spansOf(executionId).length > 0;
  }

  private seqOf(executionId: string): number {
    return this.feeds.get(executionId)?.seq ?? 0;
  }

  private checkOpen(): void {
    if (this.closed) throw storeClosed("plain");
  }
}

function summaryOf({ segments, nodes, outsideNodes, ...summary }: ExecutionDetail): ExecutionSummary {
  return summary;
}

interface Position {
  seq: number;
  index: number;
  key: string;
}

function checkTime(value: string, name: string): string {
  if (isUnixNanos(value)) return value;
  throw new SpanloomError("invalid_argument", { what: `${name} is no time.` });
}

function readCursor(cursor: string | undefined, mark: string): Position | undefined {
  if (cursor === undefined) return undefined;
  const position = decodeCursor(cursor);
  if (!Array.isArray(position) || position.length !== 4) throw invalidCursor();
  const [found, seq, index, key] = position;
  if (found !== mark || typeof seq !== "number" || typeof index !== "number" || typeof key !== "string") {
    throw invalidCursor();
  }
  return { seq, index, key };
}

function resume(order: readonly SpanRecord[], from: Position | undefined): number {
  if (from === undefined) return 0;
  const found = order.findIndex((span) => spanKey(span) === from.key);
  return found === -1 ? from.index : found + 1;
}

function quietly(wake: () => void): void {
  try {
    wake();
  } catch {
    // A watcher's failure is its own.
  }
}
