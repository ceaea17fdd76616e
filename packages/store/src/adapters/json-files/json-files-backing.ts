import { compareText } from "@spanloom/metrics";
import {
  canonicalJson,
  compareNanos,
  type ExecutionSummary,
  microsOf,
  SpanloomError,
  type UnixNanos,
} from "@spanloom/model";
import { statsOf, summaryOf } from "../../ledger/answers.ts";
import type { Backing, PlacedRef } from "../../ledger/backing.ts";
import { analyticsOf, dailyCostsOf } from "../../ledger/cell-answers.ts";
import { cellsOf } from "../../ledger/cells.ts";
import type {
  AnalyticsCell,
  ChangedExecution,
  GoneSpan,
  LedgerChanges,
  Missing,
  StoredExecution,
  StoredPart,
  UsageCell,
} from "../../ledger/changes.ts";
import type { HeldExecution } from "../../ledger/held-execution.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { listPage } from "../../list-query.ts";
import { Erasure } from "./erasure.ts";
import { type Damage, ExecutionIndex } from "./execution-index.ts";
import { FolderLock } from "./folder-lock.ts";
import { type ExecutionLine, type Line, type SpanRange, spanLine } from "./lines.ts";
import { LogFiles } from "./log-files.ts";
import { addRange, SpanFiles } from "./span-files.ts";

const DAY_SECONDS = 86_400;

export interface JsonFilesOptions {
  /** Each save waits for the disk. */
  sync: boolean;
  onDamage(damage: Damage): void;
}

/** One scope's folder. */
export class JsonFilesBacking implements Backing {
  private readonly log: LogFiles;
  private readonly lock: FolderLock;
  private readonly index: ExecutionIndex;
  private readonly spans: SpanFiles;
  private readonly erasure: Erasure;
  private readonly prepare: () => Promise<void>;

  /** @param prepare Makes the folder, before the first change. */
  constructor(folder: string, prepare: () => Promise<void>, { sync, onDamage }: JsonFilesOptions) {
    this.log = new LogFiles(folder, sync);
    this.lock = new FolderLock(folder);
    this.index = new ExecutionIndex(this.log, onDamage);
    this.spans = new SpanFiles(this.log, this.index, onDamage);
    this.erasure = new Erasure(this.log, this.index, this.spans);
    this.prepare = prepare;
  }

  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    await this.prepare();
    return this.lock.hold(work);
  }

  close(): Promise<void> {
    return this.lock.close();
  }

  async refresh(ledger: Ledger): Promise<void> {
    const changed = await this.index.follow();
    ledger.watermark = this.index.before;
    if (changed.size === 0) return;
    this.spans.forget(changed);
    const traceIds = [...changed].flatMap((id) => this.index.line(id)?.trace_ids ?? []);
    ledger.forget({ traceIds, executionIds: [...changed, ...traceIds] });
  }

  async watermark(): Promise<UnixNanos | undefined> {
    await this.index.follow();
    return this.index.before;
  }

  async setWatermark(before: UnixNanos): Promise<void> {
    const n = this.index.n + 1;
    await this.append([{ n, retention: { before, sums_from: this.index.sumsFrom } }], n);
  }

  async load({ traceIds, executionIds }: Missing): Promise<StoredPart> {
    const asked = { traces: new Set(traceIds), executions: new Set(executionIds) };
    const ids = new Set([...executionIds, ...this.index.ofTraces(traceIds)]);
    const spans = await this.spans.ofExecutions(ids);
    const executions = executionIds.flatMap((id): StoredExecution[] => {
      const line = this.index.line(id);
      if (line === undefined) return [];
      return [{ executionId: id, seq: line.seq, deleted: line.deleted === true, gone: line.gone ?? [] }];
    });
    return {
      spans: spans
        .filter((span) => asked.traces.has(span.facts.traceId) || asked.executions.has(span.executionId))
        .map(({ position, ...span }) => span),
      executions,
      traces: traceIds
        .filter((id) => this.index.refusing.has(id))
        .map((traceId) => ({ traceId, refusesUnnamed: true })),
    };
  }

  async save(changes: LedgerChanges): Promise<void> {
    const n = this.index.n + 1;
    const places = await this.appendSpans(changes, n);
    const lines: Line[] = changes.executions.map((changed) =>
      this.executionLine(changed, changes, n, places),
    );
    for (const { traceId, refusesUnnamed } of changes.traces) {
      lines.push({ n, trace_id: traceId, refuses_unnamed: refusesUnnamed });
    }
    const { rollup, analytics } = changes.pruned;
    if (rollup.length > 0 || analytics.length > 0) lines.push({ n, pruned: { usage: rollup, analytics } });
    if (changes.forgotten.length > 0) lines.push({ n, forgotten: changes.forgotten });
    // Found while lines still say where they are, and erased when it is sure that they go.
    const going = await this.erasure.spansOf(changes);
    if (lines.length > 0) await this.append(lines, n);
    for (const ref of changes.removed) this.spans.drop(ref);
    await this.erasure.spansAreGone(going, changes);
  }

  async records(spans: readonly PlacedRef[]): Promise<(string | undefined)[]> {
    return this.spans.records(spans);
  }

  listExecutions: Backing["listExecutions"] = async (query) => {
    const page = listPage(this.summaries(), query);
    return { ...page, items: structuredClone(page.items) };
  };

  getExecutions: Backing["getExecutions"] = async (executionIds) =>
    executionIds.flatMap((id) => structuredClone(this.index.line(id)?.summary) ?? []);

  getDailyCosts: Backing["getDailyCosts"] = async (query) =>
    dailyCostsOf(query, this.usageCells(), Date.now());

  getAnalytics: Backing["getAnalytics"] = async (query) =>
    analyticsOf(query, this.analyticsCells(), this.usageCells(), Date.now());

  async oldExecutions(before: UnixNanos, limit: number): Promise<string[]> {
    const old: { id: string; last: UnixNanos }[] = [];
    for (const { execution_id: id, last_activity: last } of this.index.lines()) {
      if (last !== undefined && compareNanos(last, before) < 0) old.push({ id, last });
    }
    return old
      .sort((a, b) => compareNanos(a.last, b.last))
      .slice(0, limit)
      .map(({ id }) => id);
  }

  async dropSums(before: UnixNanos): Promise<void> {
    const from = Math.floor(microsOf(before) / 1e6 / DAY_SECONDS) * DAY_SECONDS;
    if (from <= this.index.sumsFrom) return;
    const n = this.index.n + 1;
    const kept = <Cell extends { bucket: number }>(cells: Iterable<Cell>): Cell[] =>
      [...cells].filter((cell) => cell.bucket >= from);
    const { usage, analytics } = this.index.pruned;
    const pruned = { usage: kept(usage.values()), analytics: kept(analytics.values()) };
    const retention = { before: this.index.before ?? "0", sums_from: from };
    await this.append(
      [
        { n, retention },
        { n, pruned, total: true },
      ],
      n,
    );
  }

  async executionIds(): Promise<string[]> {
    return Array.from(this.summaries(), ({ executionId }) => executionId);
  }

  async recompute(execution: HeldExecution): Promise<boolean> {
    const stored = this.index.line(execution.executionId);
    if (stored === undefined) return false;
    const stats = statsOf(execution);
    const lastActivity = execution.lastActivity();
    const n = this.index.n + 1;
    const { summary: _summary, stats: _stats, last_activity: _last, ...rest } = stored;
    const line: ExecutionLine = {
      ...rest,
      n,
      summary: summaryOf(execution),
      ...(lastActivity !== undefined && { last_activity: lastActivity }),
      ...(stats !== undefined && { stats }),
      usage: sortedCells(
        Array.from(execution.usage.values(), ({ bucket, model, sums }) => [bucket, model, [...sums]]),
      ),
    };
    if (canonicalJson({ ...stored, n } as never) === canonicalJson(line as never)) return false;
    await this.append([line], n);
    return true;
  }

  async erase(executionIds: ReadonlySet<string>): Promise<void> {
    await this.erasure.olderLines(executionIds);
    await this.removeEmptyFiles();
  }

  private async appendSpans(changes: LedgerChanges, n: number): Promise<SpanPlaces> {
    const moved = changes.spans.filter((span) => span.json === undefined);
    const texts = await this.spans.records(
      moved.map(({ facts }) => ({
        traceId: facts.traceId,
        spanId: facts.spanId,
        executionId: facts.executionId,
      })),
    );
    const movedTexts = new Map(moved.map((span, index) => [span, texts[index]]));
    const lines: string[] = [];
    const written: { key: string; executionId: string; length: number; head: number; as: string }[] = [];
    // One execution after the other, so that each has one range.
    const spans = changes.spans.toSorted((a, b) =>
      a.executionId < b.executionId ? -1 : a.executionId > b.executionId ? 1 : 0,
    );
    for (const span of spans) {
      const { facts, executionId, insSeq, seq } = span;
      const json = span.json ?? movedTexts.get(span);
      if (json === undefined) throw unreadable(`${facts.traceId}/${facts.spanId}`);
      const line = spanLine({ n, execution_id: executionId, ins_seq: insSeq, seq }, json);
      const length = Buffer.byteLength(line);
      lines.push(line);
      const head = length - Buffer.byteLength(json) - 1;
      written.push({
        key: `${facts.traceId}/${facts.spanId}`,
        executionId,
        length,
        head,
        as: facts.executionId,
      });
    }
    const places: SpanPlaces = new Map();
    if (lines.length === 0) return places;
    const { file, start } = await this.log.append("spans", `${lines.join("\n")}\n`);
    let at = start;
    for (const { key, executionId, length, head, as } of written) {
      const position = {
        key,
        n,
        executionId,
        written: as,
        file,
        start: at,
        end: at + length,
        recordStart: at + head,
      };
      this.spans.remember(position);
      places.set(executionId, addRange(places.get(executionId) ?? [], [file, at, at + length + 1]));
      at += length + 1;
    }
    return places;
  }

  private executionLine(
    { executionId, seq, deleted, summary, lastActivity, stats }: ChangedExecution,
    changes: LedgerChanges,
    n: number,
    places: SpanPlaces,
  ): ExecutionLine {
    const before = this.index.line(executionId);
    const usage = new Map((before?.usage ?? []).map((cell) => [`${cell[0]}|${cell[1]}`, cell]));
    for (const cell of changes.usage) {
      if (cell.executionId !== executionId) continue;
      const key = `${cell.bucket}|${cell.model}`;
      if (cell.sums.every((value) => value === 0)) usage.delete(key);
      else usage.set(key, [cell.bucket, cell.model, [...cell.sums]]);
    }
    const gone = goneOf(before?.gone ?? [], executionId, changes);
    // Where it vanished because its spans moved, their older states still stand there.
    let spans: SpanRange[] = deleted ? [] : (before?.spans ?? []);
    for (const range of places.get(executionId) ?? []) spans = addRange(spans, range);
    return {
      n,
      execution_id: executionId,
      trace_ids: [...new Set([...(before?.trace_ids ?? []), ...(summary?.traceIds ?? [])])],
      seq,
      ...(deleted && { deleted: true as const }),
      ...(summary !== undefined && { summary }),
      ...(lastActivity !== undefined && { last_activity: lastActivity }),
      usage: sortedCells([...usage.values()]),
      ...(stats !== undefined && { stats }),
      ...(gone.length > 0 && { gone }),
      spans,
    };
  }

  /** Lines of one save, ended by their commit: without it they count for nothing. */
  private async append(lines: readonly Line[], n: number): Promise<void> {
    const all: Line[] = [...lines, { commit: n }];
    const text = `${all.map((line) => JSON.stringify(line)).join("\n")}\n`;
    const { file, start } = await this.log.append("executions", text);
    // As they are read back by others, and sharing nothing with the ledger.
    const copies = JSON.parse(`[${text.trimEnd().replaceAll("\n", ",")}]`) as Line[];
    this.index.take(copies, file, start + Buffer.byteLength(text));
  }

  /** Files in which nothing holds any more go. What else stands in them is written again first. */
  private async removeEmptyFiles(): Promise<void> {
    const current = this.log.current();
    const used = new Set(Array.from(this.index.lines(), ({ spans }) => spans.map(([file]) => file)).flat());
    for (const file of await this.log.list("spans")) {
      if (file !== current && !used.has(file) && !isRecent(file)) await this.log.remove("spans", file);
    }
    const live = new Set(Array.from(this.index.entries.values(), ({ file }) => file));
    const empty = (await this.log.list("executions")).filter(
      (file) => file !== current && !live.has(file) && !isRecent(file),
    );
    if (empty.length === 0) return;
    const n = this.index.n + 1;
    const { usage, analytics } = this.index.pruned;
    const pruned = { usage: [...usage.values()], analytics: [...analytics.values()] };
    await this.append(
      [
        { n, pruned, total: true },
        { n, retention: { before: this.index.before ?? "0", sums_from: this.index.sumsFrom } },
        ...Array.from(this.index.refusing, (trace_id) => ({ n, trace_id, refuses_unnamed: true })),
      ],
      n,
    );
    for (const file of empty) await this.log.remove("executions", file);
  }

  private *summaries(): Generator<ExecutionSummary, void, undefined> {
    for (const { summary } of this.index.lines()) if (summary !== undefined) yield summary;
  }

  private *usageCells(): Generator<UsageCell, void, undefined> {
    yield* this.index.pruned.usage.values();
    for (const { usage, stats } of this.index.lines()) {
      const workflowId = stats?.workflowId ?? "";
      for (const [bucket, model, sums] of usage) {
        if (bucket >= this.index.sumsFrom) yield { bucket, workflowId, model, sums };
      }
    }
  }

  private *analyticsCells(): Generator<AnalyticsCell, void, undefined> {
    yield* this.index.pruned.analytics.values();
    for (const { stats } of this.index.lines()) {
      if (stats !== undefined && stats.bucket >= this.index.sumsFrom) yield* cellsOf(stats);
    }
  }
}

/** It would be lost without a word. */
function unreadable(span: string): SpanloomError {
  return new SpanloomError("store_failed", {
    what: `The span ${span} could not be moved to the execution that it belongs to.`,
    why: "Its line in the json-files store cannot be read any more.",
    fix: "Write again; where it fails again, bring the file of spans back from a backup.",
  });
}

/** Where the spans of one save stand, by execution. */
type SpanPlaces = Map<string, SpanRange[]>;

/** A writer that lives may still have a file open that it began yesterday. */
function isRecent(file: string): boolean {
  return file.slice(0, 10) >= new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
}

function sortedCells(cells: ExecutionLine["usage"]): ExecutionLine["usage"] {
  return cells.sort((a, b) => a[0] - b[0] || compareText(a[1], b[1]));
}

function goneOf(before: readonly GoneSpan[], executionId: string, changes: LedgerChanges): GoneSpan[] {
  const gone = new Map(before.map((one) => [`${one.traceId}/${one.spanId}`, one]));
  for (const { executionId: of, ...one } of changes.gone) {
    if (of === executionId) gone.set(`${one.traceId}/${one.spanId}`, one);
  }
  for (const one of changes.returned) {
    if (one.executionId === executionId) gone.delete(`${one.traceId}/${one.spanId}`);
  }
  return [...gone.values()];
}
