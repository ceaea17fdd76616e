import { compareNanos, isUnixNanos, type UnixNanos } from "@spanloom/model";
import { AnalyticsCells, UsageCells } from "../../ledger/cells.ts";
import {
  type CommitLine,
  type ExecutionLine,
  executionHead,
  type Line,
  type PrunedLine,
  type RetentionLine,
} from "./lines.ts";
import type { LogFiles } from "./log-files.ts";
import { type Reached, type SaveLine, savesOf } from "./saves.ts";

/** Something in a file that cannot be read. */
export interface Damage {
  file: string;
  /** In bytes. */
  offset: number;
  why: string;
}

/** The line that holds for an execution, and the file of `executions` in which it stands. */
export interface Entry {
  readonly line: ExecutionLine;
  readonly file: string;
}

/** The greatest line of an execution among those that were just read: only that one is parsed. */
interface Candidate {
  n: number;
  file: string;
  start: number;
  text: string;
}

/** Files of the last days may still grow; older ones are whole. */
const GROWING_MS = 2 * 86_400_000;

/**
 * What the files of `executions` say, followed as they grow: the line that holds for each execution, refused traces, what
 * pruned executions left in sums, and how far retention went. In whatever order files are read, the same comes of it: lines
 * go by their `n`. What is damaged is reported, and of an execution the line before it holds.
 */
export class ExecutionIndex {
  readonly entries: Map<string, Entry> = new Map();
  readonly refusing: Set<string> = new Set();
  pruned: { usage: UsageCells; analytics: AnalyticsCells } = emptyPruned();
  before: UnixNanos | undefined;
  /** Sums of quarter-hours before this second were dropped. */
  sumsFrom = 0;
  /** The number of the last save. */
  n = 0;
  private readonly byTrace = new Map<string, Set<string>>();
  private readonly forgottenAt = new Map<string, number>();
  private readonly files = new Map<string, Reached>();
  private readonly log: LogFiles;
  private readonly onDamage: (damage: Damage) => void;
  /** What `pruned` is made of: the last line with `total`, and all that came after it. */
  private prunedLines: PrunedLine[] = [];
  private totalAt = 0;

  constructor(log: LogFiles, onDamage: (damage: Damage) => void) {
    this.log = log;
    this.onDamage = onDamage;
  }

  /** Reads what was appended since. Gives the executions that others changed. */
  async follow(): Promise<Set<string>> {
    const changed = new Set<string>();
    const candidates = new Map<string, Candidate>();
    const growing = new Date(Date.now() - GROWING_MS).toISOString().slice(0, 10);
    for (const file of await this.log.list("executions")) {
      const known = this.files.get(file);
      if (known !== undefined && file.slice(0, 10) < growing) continue;
      const size = (await this.log.size("executions", file)) ?? 0;
      const from = known ?? { end: 0, n: 0 };
      if (size > from.end) await this.read(file, from, size, { changed, candidates });
    }
    for (const [executionId, candidate] of candidates) {
      changed.add(executionId);
      await this.settle(executionId, candidate);
    }
    return changed;
  }

  /** Executions that have, or ever had, spans of the traces. */
  ofTraces(traceIds: Iterable<string>): Set<string> {
    const found = new Set<string>();
    for (const traceId of traceIds) for (const id of this.byTrace.get(traceId) ?? []) found.add(id);
    return found;
  }

  /** What holds for an execution; `undefined` where nothing does. */
  line(executionId: string): ExecutionLine | undefined {
    return this.entries.get(executionId)?.line;
  }

  /** What holds, of all executions. */
  *lines(): Generator<ExecutionLine, void, undefined> {
    for (const { line } of this.entries.values()) yield line;
  }

  /** Takes lines of one save, which were appended to this file and end there. */
  take(lines: readonly Line[], file: string, end: number): void {
    for (const line of lines) this.apply(line, file);
    this.files.set(file, { end, n: this.n });
  }

  private async read(file: string, from: Reached, size: number, found: Found): Promise<void> {
    this.files.set(file, from);
    const bytes = await this.log.read("executions", file, from.end, size);
    for (const { lines, reached } of savesOf(bytes, from)) {
      for (const line of lines) this.note(line, file, found);
      this.n = Math.max(this.n, reached.n);
      this.files.set(file, reached);
    }
  }

  /** One line of a save: of executions the greatest is kept for later, everything else is taken at once. */
  private note({ text, start, n }: SaveLine, file: string, { changed, candidates }: Found): void {
    const head = n === undefined ? undefined : executionHead(text);
    if (n !== undefined && head !== undefined) {
      const greatest = candidates.get(head.execution_id)?.n ?? 0;
      if (n >= greatest) candidates.set(head.execution_id, { n, file, start, text });
      return;
    }
    const line = n === undefined ? undefined : parsed(text);
    if (!isKnown(line)) {
      this.damaged(file, start);
      return;
    }
    if ("forgotten" in line) for (const id of line.forgotten) changed.add(id);
    this.apply(line, file);
  }

  /** The line holds, or where it is damaged, the greatest before it. */
  private async settle(executionId: string, { text, file, start }: Candidate): Promise<void> {
    const line = executionLine(text);
    if (line !== undefined) {
      this.put({ line, file });
      return;
    }
    this.damaged(file, start);
    for (const older of await this.log.list("executions")) {
      const size = (await this.log.size("executions", older)) ?? 0;
      const bytes = await this.log.read("executions", older, 0, size);
      for (const { lines } of savesOf(bytes, { end: 0, n: 0 })) {
        for (const { text: other, n } of lines) {
          if (n === undefined || executionHead(other)?.execution_id !== executionId) continue;
          const found = executionLine(other);
          if (found !== undefined) this.put({ line: found, file: older });
        }
      }
    }
  }

  private damaged(file: string, offset: number): void {
    this.onDamage({ file: `executions/${file}`, offset, why: "it is no JSON object of a known kind" });
  }

  private apply(line: Line, file: string): void {
    if ("commit" in line) {
      this.n = Math.max(this.n, line.commit);
      return;
    }
    this.n = Math.max(this.n, line.n);
    if ("execution_id" in line) this.put({ line, file });
    else if ("trace_id" in line) {
      if (line.refuses_unnamed) this.refusing.add(line.trace_id);
      else this.refusing.delete(line.trace_id);
    } else if ("forgotten" in line) {
      for (const id of line.forgotten) this.drop(id, line.n);
    } else if ("retention" in line) {
      const { before, sums_from } = line.retention;
      if (this.before === undefined || compareNanos(before, this.before) > 0) this.before = before;
      this.sumsFrom = Math.max(this.sumsFrom, sums_from);
    } else this.addPruned(line);
  }

  private addPruned(line: PrunedLine): void {
    if (line.n <= this.totalAt) return;
    this.prunedLines.push(line);
    if (!line.total) {
      addCells(this.pruned, line);
      return;
    }
    this.totalAt = line.n;
    this.prunedLines = this.prunedLines.filter(({ n }) => n >= line.n);
    this.pruned = emptyPruned();
    for (const one of this.prunedLines) addCells(this.pruned, one);
  }

  private put(entry: Entry): void {
    const { n, execution_id: executionId, trace_ids: traceIds } = entry.line;
    this.n = Math.max(this.n, n);
    if ((this.line(executionId)?.n ?? 0) > n) return;
    if ((this.forgottenAt.get(executionId) ?? 0) > n) return;
    this.entries.set(executionId, entry);
    for (const traceId of traceIds) {
      const own = this.byTrace.get(traceId);
      if (own === undefined) this.byTrace.set(traceId, new Set([executionId]));
      else own.add(executionId);
    }
  }

  private drop(executionId: string, n: number): void {
    const line = this.line(executionId);
    this.forgottenAt.set(executionId, Math.max(n, this.forgottenAt.get(executionId) ?? 0));
    if (line === undefined || line.n > n) return;
    this.entries.delete(executionId);
    for (const traceId of line.trace_ids) {
      const own = this.byTrace.get(traceId);
      own?.delete(executionId);
      if (own?.size === 0) this.byTrace.delete(traceId);
    }
  }
}

/** What one look at the files brought. */
interface Found {
  changed: Set<string>;
  candidates: Map<string, Candidate>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function executionLine(text: string): ExecutionLine | undefined {
  const line = parsed(text) as ExecutionLine | undefined;
  return Array.isArray(line?.spans) && Array.isArray(line.usage) ? line : undefined;
}

function isKnown(line: unknown): line is Exclude<Line, ExecutionLine | CommitLine> {
  if (typeof line !== "object" || line === null) return false;
  const { trace_id, forgotten, retention, pruned } = line as Partial<Record<string, unknown>>;
  const { before, sums_from } = (retention ?? {}) as Partial<RetentionLine["retention"]>;
  const { usage, analytics } = (pruned ?? {}) as Partial<PrunedLine["pruned"]>;
  return (
    typeof trace_id === "string" ||
    Array.isArray(forgotten) ||
    (isUnixNanos(before) && Number.isFinite(sums_from)) ||
    (Array.isArray(usage) && Array.isArray(analytics))
  );
}

function emptyPruned(): { usage: UsageCells; analytics: AnalyticsCells } {
  return { usage: new UsageCells(), analytics: new AnalyticsCells() };
}

function addCells(to: { usage: UsageCells; analytics: AnalyticsCells }, { pruned }: PrunedLine): void {
  for (const cell of pruned.usage) to.usage.add(cell);
  for (const cell of pruned.analytics) to.analytics.add(cell);
}
