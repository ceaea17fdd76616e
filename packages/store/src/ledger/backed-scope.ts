import { createSpanSearch } from "@spanloom/metrics";
import {
  type AnalyticsQuery,
  compareNanos,
  type DailyCostsQuery,
  type ExecutionDetail,
  type ExecutionSummary,
  type GetTraceQuery,
  type ListExecutionsQuery,
  type PruneReport,
  type PruneRequest,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  type RunMetrics,
  type ScopedStore,
  type SearchSpansQuery,
  type SpanMatches,
  type SpanRecord,
  type SpanSkeleton,
  type StoreCapabilities,
  spanKey,
  type TraceChanges,
  type TracePage,
  toSkeleton,
  type UnixNanos,
  type WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkPrune, checkRecords, checkWhole, storeClosed } from "../check-arguments.ts";
import { createPageRoom } from "../page-room.ts";
import { redactStored } from "../redact-stored.ts";
import { textProblem } from "../sql/row-codec.ts";
import { createWatchers } from "../watchers.ts";
import { admit } from "./admit.ts";
import { detailOf, runMetricsOfExecution, summaryOf } from "./answers.ts";
import type { Backing, PlacedRef } from "./backing.ts";
import type { LedgerChanges, Missing, SpanRef } from "./changes.ts";
import type { FeedEntry } from "./feed.ts";
import type { HeldExecution } from "./held-execution.ts";
import { Ledger } from "./ledger.ts";
import { loadComponents } from "./load-components.ts";
import { TracePages } from "./pages.ts";
import { SearchDraft } from "./search-pages.ts";

/** What the scopes of one store share. */
export interface BackedState {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  /** Set once the store is closing. */
  closed: boolean;
}

/** One scope of a store whose rows are kept by a backing: the ledger decides, one call after the other. */
export class BackedScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities;
  private readonly backing: Backing;
  private readonly state: BackedState;
  private readonly ledger = new Ledger();
  private readonly pages = new TracePages();
  private readonly watchers = createWatchers();
  private turn: Promise<unknown> = Promise.resolve();
  private watermarkRead: Promise<void> | undefined;

  constructor(scope: string, backing: Backing, state: BackedState) {
    this.scope = scope;
    this.backing = backing;
    this.state = state;
    this.capabilities = state.capabilities;
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    const admitted = admit(checkRecords(spans), this.backing.recordProblem ?? textProblem);
    return this.change(async () => {
      const records = admitted.records.map(({ record }) => record);
      await this.hold(idsOf(records));
      const stored = await this.storedTies(records);
      const { receipt, changes } = this.ledger.apply(admitted, (key) => stored.get(key));
      await this.save(changes);
      return receipt;
    });
  }

  async deleteExecution(executionId: string): Promise<boolean> {
    return this.change(async () => {
      const ids = { traceIds: [], executionIds: [executionId] };
      await this.hold(ids);
      const changes = this.ledger.delete(executionId);
      if (changes === undefined) return false;
      await this.save(changes);
      await this.backing.erase?.(NOTHING);
      return true;
    });
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    const { before, sumsBefore, limit } = checkPrune(request);
    return this.change(async () => {
      const { ledger, backing } = this;
      await this.hold({ traceIds: [], executionIds: [] });
      if (ledger.watermark === undefined || compareNanos(before, ledger.watermark) > 0) {
        await backing.setWatermark(before);
        ledger.watermark = before;
      }
      const report: PruneReport = { executions: 0, spans: 0, more: false };
      await this.pruneOld(before, limit, report);
      if (sumsBefore !== undefined) await backing.dropSums(sumsBefore);
      if (report.spans > 0) await backing.erase?.(NOTHING);
      return report;
    });
  }

  async redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    this.checkOpen();
    const redacted = new Set<string>();
    const report = await redactStored(
      {
        listExecutions: this.listExecutions,
        getExecutions: this.getExecutions,
        getTrace: this.getTrace.bind(this),
        getSpan: this.getSpan.bind(this),
        write: (records) => {
          for (const { executionId } of records) redacted.add(executionId);
          return this.write(records);
        },
      },
      rule,
      selection,
    );
    if (redacted.size > 0) await this.change(async () => this.backing.erase?.(redacted));
    return report;
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    return this.change(async () => {
      const corrected: string[] = [];
      const ids = await this.backing.executionIds();
      for (const executionId of ids) {
        const one = { traceIds: [], executionIds: [executionId] };
        // From the stored spans, not from what is held.
        this.ledger.forget(one);
        await this.hold(one);
        const execution = this.ledger.execution(executionId);
        if (execution !== undefined && (await this.backing.recompute(execution))) corrected.push(executionId);
        this.ledger.trim();
      }
      this.wake(corrected);
      return { executions: ids.length, corrected };
    });
  }

  listExecutions: ScopedStore["listExecutions"] = async (query: ListExecutionsQuery = {}) => {
    await this.ready();
    return this.backing.listExecutions(query);
  };

  getExecutions: ScopedStore["getExecutions"] = async (executionIds): Promise<ExecutionSummary[]> => {
    const ids = checkExecutionIds(executionIds);
    await this.ready();
    return this.backing.getExecutions(ids);
  };

  getDailyCosts: ScopedStore["getDailyCosts"] = async (query: DailyCostsQuery) => {
    await this.ready();
    return this.backing.getDailyCosts(query);
  };

  getAnalytics: ScopedStore["getAnalytics"] = async (query: AnalyticsQuery) => {
    await this.ready();
    return this.backing.getAnalytics(query);
  };

  async getExecution(executionId: string): Promise<ExecutionDetail | undefined> {
    return this.about(executionId, detailOf);
  }

  async getRunMetrics(executionId: string): Promise<RunMetrics | undefined> {
    return this.about(executionId, runMetricsOfExecution);
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    const begun = await this.about(executionId, (execution) => ({
      draft: this.pages.start(execution, query),
      execution: summaryOf(execution),
    }));
    if (begun === undefined) return undefined;
    const { draft, execution } = begun;
    for (let refs = draft.next(); refs.length > 0; refs = draft.next()) {
      for (const json of await this.read(executionId, refs, draft.view)) {
        draft.add(json === undefined ? undefined : { span: parse(json, draft.view), length: json.length });
      }
    }
    return { execution, ...draft.finish() };
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    const refs = await this.about(executionId, (execution) =>
      summaryOf(execution)
        .traceIds.filter((id) => traceId === undefined || id === traceId)
        .map((id) => ({ traceId: id, spanId })),
    );
    const found = await this.read(executionId, refs ?? [], "full");
    const json = found.find((one) => one !== undefined);
    return json === undefined ? undefined : (JSON.parse(json) as SpanRecord);
  }

  async searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    const search = createSpanSearch(query);
    const draft = await this.about(executionId, (execution) => new SearchDraft(this.pages, execution, query));
    if (draft === undefined) return undefined;
    for (let refs = draft.next(); refs.length > 0; refs = draft.next()) {
      for (const json of await this.read(executionId, refs, "full")) {
        draft.add(json === undefined ? [] : search(JSON.parse(json) as SpanRecord));
      }
    }
    return draft.finish();
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    const begun = await this.alone(async () => {
      await this.hold({ traceIds: [], executionIds: [executionId] });
      const execution = this.ledger.execution(executionId);
      if (execution === undefined) return undefined;
      // An execution that vanished or was deleted still tells those who followed it what went away.
      if (execution.spanCount === 0 && (since === 0 || since >= execution.seq)) return undefined;
      const entries: { entry: FeedEntry; seq: number; gone: boolean }[] = [];
      for (const entry of execution.feed.since(since)) {
        entries.push({ entry, seq: entry.seq, gone: entry.span === undefined });
        if (entries.length > limit) break;
      }
      return { entries, execution: summaryOf(execution) };
    });
    if (begun === undefined) return undefined;
    const { entries, execution } = begun;
    const shown = entries.slice(0, limit);
    const refs = shown.filter(({ gone }) => !gone).map(({ entry }) => entry);
    const texts = (await this.read(executionId, refs, "skeleton")).values();
    const changes: TraceChanges = {
      execution,
      spans: [],
      removed: [],
      seq: since,
      more: entries.length > limit,
    };
    const fits = createPageRoom();
    for (const { entry, seq: at, gone } of shown) {
      const json = gone ? undefined : texts.next().value;
      if (gone) changes.removed.push({ traceId: entry.traceId, spanId: entry.spanId });
      else if (json !== undefined) {
        if (!fits(json.length)) {
          changes.more = true;
          break;
        }
        changes.spans.push(parse(json, "skeleton"));
      }
      changes.seq = at;
    }
    if (!changes.more) changes.seq = execution.seq;
    return changes;
  }

  watch(executionId: string, wake: () => void): () => void {
    this.checkOpen();
    return this.watchers.add(executionId, wake);
  }

  /** Prunes components, oldest first. Some are held by a member that is still active: then others are asked for. */
  private async pruneOld(before: UnixNanos, limit: number, report: PruneReport): Promise<void> {
    const { ledger, backing } = this;
    const kept = new Set<string>();
    for (;;) {
      // One more than may go tells whether there are others.
      const wanted = kept.size + limit + 1;
      const found = await backing.oldExecutions(before, wanted);
      const old = found.filter((id) => !kept.has(id));
      for (const executionId of old) {
        const one = { traceIds: [], executionIds: [executionId] };
        await this.hold(one);
        const component = ledger.component(one);
        const members = component.executionIds.flatMap((id) => ledger.execution(id) ?? []);
        // It went with another one.
        if (members.length === 0) continue;
        if (members.some((member) => isActive(member, before))) {
          kept.add(executionId);
          continue;
        }
        if (report.executions >= limit) {
          report.more = true;
          return;
        }
        const count = members.filter((member) => member.spanCount > 0).length;
        const changes = ledger.prune(component);
        await this.save(changes);
        report.executions += count;
        report.spans += changes.removed.length;
      }
      if (found.length < wanted) return;
    }
  }

  /** Resolves when every call that was made is done, and the backing has let go. */
  async close(): Promise<void> {
    await this.turn;
    await this.backing.close?.();
  }

  /** Runs one call after the other. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    this.checkOpen();
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  /** Runs what changes something. */
  private change<T>(work: () => Promise<T>): Promise<T> {
    return this.alone(() => this.backing.exclusive?.(work) ?? work());
  }

  /** Asks about one execution that has spans. */
  private about<T>(executionId: string, ask: (execution: HeldExecution) => T): Promise<T | undefined> {
    return this.alone(async () => {
      await this.hold({ traceIds: [], executionIds: [executionId] });
      const execution = this.ledger.execution(executionId);
      return execution === undefined || execution.spanCount === 0 ? undefined : ask(execution);
    });
  }

  /** Whatever is asked of the whole scope must see what others wrote, and what was written before. */
  private async ready(): Promise<void> {
    await this.alone(async () => {
      await this.backing.refresh?.(this.ledger, { traceIds: [], executionIds: [] });
    });
  }

  private async hold(ids: Missing): Promise<void> {
    if (this.watermarkRead === undefined) {
      this.watermarkRead = this.backing.watermark().then((watermark) => {
        this.ledger.watermark = watermark;
      });
      this.watermarkRead.catch(() => {
        this.watermarkRead = undefined;
      });
    }
    await this.watermarkRead;
    await this.backing.refresh?.(this.ledger, ids);
    await loadComponents(this.ledger, ids, (missing) => this.backing.load(missing));
  }

  private async storedTies(records: readonly SpanRecord[]): Promise<Map<string, SpanRecord>> {
    const refs = this.ledger.ties(records);
    const texts = await this.backing.records(refs, "full");
    const found = texts.flatMap((json) => (json === undefined ? [] : [JSON.parse(json) as SpanRecord]));
    return new Map(found.map((record) => [spanKey(record), record]));
  }

  private async save(changes: LedgerChanges): Promise<void> {
    try {
      await this.backing.save(changes);
    } catch (error) {
      // Nothing of it holds: the backing is the truth.
      this.ledger.forgetChanges(changes);
      throw error;
    }
    this.wake(changes.executions.map(({ executionId }) => executionId));
  }

  private wake(executionIds: readonly string[]): void {
    this.watchers.wake(executionIds);
  }

  private read(
    executionId: string,
    refs: readonly SpanRef[],
    view: "skeleton" | "full",
  ): Promise<(string | undefined)[]> {
    if (refs.length === 0) return Promise.resolve([]);
    const placed: PlacedRef[] = refs.map(({ traceId, spanId }) => ({ traceId, spanId, executionId }));
    return this.backing.records(placed, view);
  }

  private checkOpen(): void {
    if (this.state.closed) throw storeClosed(this.state.name);
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** Each once: many spans share a trace. */
function idsOf(records: readonly SpanRecord[]): Missing {
  return {
    traceIds: [...new Set(records.map((record) => record.traceId))],
    executionIds: [...new Set(records.map((record) => record.executionId))],
  };
}

function parse(json: string, view: "skeleton" | "full"): SpanSkeleton {
  const record = JSON.parse(json) as SpanRecord;
  return view === "full" ? record : toSkeleton(record);
}

function isActive(execution: HeldExecution, before: string): boolean {
  const last = execution.lastActivity();
  return last !== undefined && compareNanos(last, before) >= 0;
}
