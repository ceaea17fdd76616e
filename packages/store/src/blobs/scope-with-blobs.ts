import { searchTrace } from "@spanloom/metrics";
import {
  canonicalJson,
  type GetTraceQuery,
  type PruneReport,
  type PruneRequest,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  type ScopedStore,
  type SearchSpansQuery,
  type SpanMatches,
  type SpanRecord,
  spanKey,
  type TracePage,
  type WriteReceipt,
} from "@spanloom/model";
import { checkRecords, checkWhole } from "../check-arguments.ts";
import { createPageRoom } from "../page-room.ts";
import { type RedactedSpans, redactThrough, replaceRedacted } from "../redact-through.ts";
import type { Gate } from "./gate.ts";
import { inParallel } from "./in-parallel.ts";
import { pruneWithBlobs } from "./prune-with-blobs.ts";
import { getLarge, lengthOutside, putBodies, refsOf, takeApart } from "./record-blobs.ts";
import type { ScopeBlobs } from "./scope-blobs.ts";

/** Blobs that one call reads or writes at once. */
const AT_ONCE = 8;
/** Before the cursor of a search that looked into blobs; a store's own cursors are of no such letters. */
const OWN_CURSOR = "blobs.";

/** One tenant's store whose large payloads are blobs. */
export class ScopeWithBlobs implements ScopedStore {
  readonly scope: string;
  readonly capabilities: ScopedStore["capabilities"];
  readonly watch?: NonNullable<ScopedStore["watch"]>;
  readonly follow?: NonNullable<ScopedStore["follow"]>;
  private readonly inner: ScopedStore;
  private readonly blobs: ScopeBlobs;
  private readonly over: number;
  private readonly gate: Gate;

  constructor(inner: ScopedStore, blobs: ScopeBlobs, over: number, gate: Gate) {
    this.inner = inner;
    this.blobs = blobs;
    this.over = over;
    this.gate = gate;
    this.scope = inner.scope;
    this.capabilities = inner.capabilities;
    if (inner.watch !== undefined) this.watch = inner.watch.bind(inner);
    if (inner.follow !== undefined) this.follow = inner.follow.bind(inner);
  }

  /** Blobs first: a record never refers to what is not there. Whoever gave the records may go on to change them. */
  write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    return this.gate.pass(async () => {
      const given = checkRecords(spans);
      const apart = given.map((record) => takeApart(record, this.over));
      if (apart.every((one) => one === undefined)) return this.inner.write(given as SpanRecord[]);
      const stored = given.map((record, index) => apart[index]?.record ?? copyOf(record));
      await inParallel(apart, AT_ONCE, async (one) => {
        if (one !== undefined) await putBodies(one, this.blobs);
      });
      return this.inner.write(stored as SpanRecord[]);
    });
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    return this.gate.pass(async () => {
      if (query.view !== "full") return this.inner.getTrace(executionId, query);
      const page = await this.fullPage(executionId, { ...query, view: "full" });
      if (page === undefined || page.spans.every((span) => lengthOutside(span) === 0)) return page;
      const spans: SpanRecord[] = [...page.spans];
      await inParallel(page.spans.entries(), AT_ONCE, async ([index, span]) => {
        spans[index] = await getLarge(span, this.blobs);
      });
      return { ...page, spans };
    });
  }

  getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    return this.gate.pass(async () => {
      const stored = await this.inner.getSpan(executionId, spanId, traceId);
      return stored && getLarge(stored, this.blobs);
    });
  }

  searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    return this.gate.pass(() => this.search(executionId, query));
  }

  deleteExecution(executionId: string): Promise<boolean> {
    return this.gate.pass(async () => {
      const [before] = await this.inner.getExecutions([executionId]);
      const found = await this.inner.deleteExecution(executionId);
      if (found) await this.deleteBlobs(await this.removedSince(executionId, before?.seq ?? 1), () => true);
      return found;
    });
  }

  prune(request: PruneRequest): Promise<PruneReport> {
    return this.gate.pass(() => pruneWithBlobs(this.inner, this.blobs, request));
  }

  redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    return redactThrough(this, (redacted) => this.gate.pass(() => this.replace(redacted)), rule, selection);
  }

  listExecutions: ScopedStore["listExecutions"] = (query) =>
    this.gate.pass(() => this.inner.listExecutions(query));
  getExecutions: ScopedStore["getExecutions"] = (executionIds) =>
    this.gate.pass(() => this.inner.getExecutions(executionIds));
  getExecution: ScopedStore["getExecution"] = (executionId) =>
    this.gate.pass(() => this.inner.getExecution(executionId));
  changesSince: ScopedStore["changesSince"] = (executionId, seq, options) =>
    this.gate.pass(() => this.inner.changesSince(executionId, seq, options));
  getRunMetrics: ScopedStore["getRunMetrics"] = (executionId) =>
    this.gate.pass(() => this.inner.getRunMetrics(executionId));
  getDailyCosts: ScopedStore["getDailyCosts"] = (query) =>
    this.gate.pass(() => this.inner.getDailyCosts(query));
  getAnalytics: ScopedStore["getAnalytics"] = (query) => this.gate.pass(() => this.inner.getAnalytics(query));
  recompute: ScopedStore["recompute"] = () => this.gate.pass(() => this.inner.recompute());

  /** The store's own search, unless there are blobs to look into. */
  private async search(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    const resumed = typeof query.cursor === "string" && query.cursor.startsWith(OWN_CURSOR);
    const own = resumed || (query.cursor === undefined && (await this.looksIntoBlobs(executionId, query)));
    if (!own) return this.inner.searchSpans(executionId, query);
    const limit = checkWhole(query.limit, "limit", { least: 1, most: 1_000, fallback: 200 });
    const cursor = resumed ? { cursor: query.cursor?.slice(OWN_CURSOR.length) ?? "" } : {};
    const matches = await searchTrace(this, executionId, { ...query, ...cursor, limit });
    if (matches?.nextCursor !== undefined) matches.nextCursor = `${OWN_CURSOR}${matches.nextCursor}`;
    return matches;
  }

  /** A page whose records are no more than a page may hold once their blobs are in them. */
  private async fullPage(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined> {
    const page = await this.inner.getTrace(executionId, query);
    if (page === undefined || page.spans.every((span) => lengthOutside(span) === 0)) return page;
    const fits = createPageRoom();
    const tooMuch = page.spans.findIndex((span) => !fits(JSON.stringify(span).length + lengthOutside(span)));
    if (tooMuch === -1) return page;
    // Asked again for fewer, so that the store's own cursor stands where this page ends.
    const asOf = query.cursor === undefined ? { asOfSeq: page.asOfSeq } : {};
    return this.inner.getTrace(executionId, { ...query, ...asOf, limit: tooMuch });
  }

  private async looksIntoBlobs(executionId: string, { places }: SearchSpansQuery): Promise<boolean> {
    if (Array.isArray(places) && !places.includes("content")) return false;
    const [execution] = await this.inner.getExecutions([executionId]);
    return execution !== undefined && this.blobs.hasAny(execution.traceIds);
  }

  /** Puts redacted states in place of stored ones; a span that is in another state than was redacted stays. */
  private async replace({ executionId, spans }: RedactedSpans): Promise<WriteReceipt> {
    const stored: RedactedSpans["spans"] = [];
    await inParallel(spans, AT_ONCE, async ({ before, after }) => {
      const now = await this.inner.getSpan(executionId, after.spanId, after.traceId);
      if (now === undefined || canonicalJson(await getLarge(now, this.blobs)) !== before) return;
      const apart = takeApart(after, this.over);
      const record = apart === undefined ? after : await putBodies(apart, this.blobs);
      stored.push({ before: canonicalJson(now), after: record });
    });
    const { written } = await replaceRedacted(this.inner, { executionId, spans: stored });
    const inUse = new Map<string, Set<string>>();
    await inParallel(stored, AT_ONCE, async ({ after: { traceId, spanId } }) => {
      const now = await this.inner.getSpan(executionId, spanId, traceId);
      if (now !== undefined) inUse.set(spanKey(now), new Set(refsOf(now)));
    });
    const changed = new Set(stored.map(({ after }) => spanKey(after)));
    await this.deleteBlobs(changed, (span, hash) => inUse.get(span)?.has(hash) !== true);
    return { written, unchanged: spans.length - written, rejected: [] };
  }

  /** The keys of spans that went away: its feed tells, also of those that came just before the deletion. */
  private async removedSince(executionId: string, seq: number): Promise<Set<string>> {
    const keys = new Set<string>();
    for (let since = seq, more = true; more; ) {
      const changes = await this.inner.changesSince(executionId, since, { limit: 10_000 });
      for (const span of changes?.removed ?? []) keys.add(spanKey(span));
      since = changes?.seq ?? since;
      more = changes?.more ?? false;
    }
    return keys;
  }

  private async deleteBlobs(
    spans: ReadonlySet<string>,
    goes: (span: string, hash: string) => boolean,
  ): Promise<void> {
    const traceIds = new Set(Array.from(spans, (key) => key.split("/")[0] ?? ""));
    for (const traceId of traceIds) {
      const keys: string[] = [];
      for await (const { key, spanId, hash } of this.blobs.list(traceId)) {
        const span = spanKey({ traceId, spanId });
        if (spans.has(span) && goes(span, hash)) keys.push(key);
      }
      await inParallel(keys, AT_ONCE, (key) => this.blobs.delete(key));
    }
  }
}

/** What cannot be copied is none that could be stored: the store says what is wrong with it. */
function copyOf(record: unknown): unknown {
  try {
    return structuredClone(record);
  } catch {
    return record;
  }
}
