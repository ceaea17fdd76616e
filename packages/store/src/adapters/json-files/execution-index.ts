import { compareNanos, type UnixNanos } from "@spanloom/model";
import { AnalyticsCells, UsageCells } from "../../ledger/cells.ts";
import { type ExecutionLine, executionHead, type Line } from "./lines.ts";
import { type LogFiles, linesOf } from "./log-files.ts";

/** Something in a file that cannot be read. */
export interface Damage {
  file: string;
  /** In bytes. */
  offset: number;
  why: string;
}

/** The line that holds for an execution. It is parsed when somebody asks. */
export class Entry {
  readonly n: number;
  readonly executionId: string;
  readonly traceIds: readonly string[];
  /** The file of `executions` in which it stands. */
  readonly file: string;
  private readonly text: string | undefined;
  private parsed: ExecutionLine | undefined;

  constructor(
    head: Pick<ExecutionLine, "n" | "execution_id" | "trace_ids">,
    file: string,
    line: string | ExecutionLine,
  ) {
    this.n = head.n;
    this.executionId = head.execution_id;
    this.traceIds = head.trace_ids;
    this.file = file;
    if (typeof line === "string") this.text = line;
    else this.parsed = line;
  }

  get line(): ExecutionLine {
    this.parsed ??= JSON.parse(this.text ?? "") as ExecutionLine;
    return this.parsed;
  }
}

/** Files of the last days may still grow; older ones are whole. */
const GROWING_MS = 2 * 86_400_000;

/**
 * What the files of `executions` say, followed as they grow: the line that holds for each execution, refused traces, what
 * pruned executions left in sums, and how far retention went.
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
  /** Up to where each file was read and committed, in bytes. */
  private readonly files = new Map<string, number>();
  private readonly log: LogFiles;
  private readonly onDamage: (damage: Damage) => void;
  /** The `n` of the line that replaced all pruned sums before it. */
  private totalAt = 0;

  constructor(log: LogFiles, onDamage: (damage: Damage) => void) {
    this.log = log;
    this.onDamage = onDamage;
  }

  /** Reads what was appended since. Gives the executions that others changed. */
  async follow(): Promise<Set<string>> {
    const changed = new Set<string>();
    const growing = new Date(Date.now() - GROWING_MS).toISOString().slice(0, 10);
    for (const file of await this.log.list("executions")) {
      const known = this.files.get(file);
      if (known !== undefined && file.slice(0, 10) < growing) continue;
      const size = (await this.log.size("executions", file)) ?? 0;
      const from = known ?? 0;
      if (size > from) await this.read(file, from, size, changed);
    }
    return changed;
  }

  /** Executions that have, or ever had, spans of the traces. */
  ofTraces(traceIds: Iterable<string>): Set<string> {
    const found = new Set<string>();
    for (const traceId of traceIds) for (const id of this.byTrace.get(traceId) ?? []) found.add(id);
    return found;
  }

  /** What holds for an execution; `undefined` where nothing does, or where it cannot be read, which is then reported. */
  line(executionId: string): ExecutionLine | undefined {
    const entry = this.entries.get(executionId);
    try {
      return entry?.line;
    } catch {
      this.onDamage({
        file: `executions/${entry?.file}`,
        offset: 0,
        why: `the line of execution ${executionId} is no JSON`,
      });
      this.entries.delete(executionId);
      return undefined;
    }
  }

  /** What holds, of all executions. */
  *lines(): Generator<ExecutionLine, void, undefined> {
    for (const executionId of [...this.entries.keys()]) {
      const line = this.line(executionId);
      if (line !== undefined) yield line;
    }
  }

  /** Takes lines of one save, which were appended to this file and end there. */
  take(lines: readonly Line[], file: string, end: number): void {
    for (const line of lines) this.apply(line, file);
    this.files.set(file, end);
  }

  /** How many of the lines that hold stand in each file. */
  liveLines(): Map<string, number> {
    const live = new Map<string, number>();
    for (const { file } of this.entries.values()) live.set(file, (live.get(file) ?? 0) + 1);
    return live;
  }

  private async read(file: string, from: number, size: number, changed: Set<string>): Promise<void> {
    const bytes = await this.log.read("executions", file, from, size);
    let pending: { text: string; start: number }[] = [];
    let end = from;
    for (const line of linesOf(bytes, from)) {
      const commit = /^\{"commit":(\d+)\}$/.exec(line.text);
      if (commit === null) {
        pending.push(line);
        continue;
      }
      const prefix = `{"n":${commit[1]},`;
      for (const { text, start } of pending) {
        if (text.startsWith(prefix)) this.applyText(text, file, start, changed);
        else this.damaged(text, file, start);
      }
      pending = [];
      end = line.end + 1;
    }
    this.files.set(file, end);
  }

  private applyText(text: string, file: string, offset: number, changed: Set<string>): void {
    try {
      const head = text.endsWith("}") ? executionHead(text) : undefined;
      if (head === undefined) {
        const line = JSON.parse(text) as Line;
        if ("forgotten" in line) for (const id of line.forgotten) changed.add(id);
        this.apply(line, file);
        return;
      }
      changed.add(head.execution_id);
      this.put(new Entry(head, file, text));
    } catch {
      this.onDamage({
        file: `executions/${file}`,
        offset,
        why: "the line is no JSON object of a known kind",
      });
    }
  }

  /** A line that no save ended with: what a crash left of it, or something else was written over it. */
  private damaged(text: string, file: string, offset: number): void {
    if (/^\{"n":\d+,/.test(text)) return;
    this.onDamage({ file: `executions/${file}`, offset, why: "the line is no JSON object of a known kind" });
  }

  private apply(line: Line, file: string): void {
    if ("commit" in line) {
      this.n = Math.max(this.n, line.commit);
      return;
    }
    this.n = Math.max(this.n, line.n);
    if ("execution_id" in line) this.put(new Entry(line, file, line));
    else if ("trace_id" in line) {
      if (line.refuses_unnamed) this.refusing.add(line.trace_id);
      else this.refusing.delete(line.trace_id);
    } else if ("forgotten" in line) {
      for (const id of line.forgotten) this.drop(id, line.n);
    } else if ("retention" in line) {
      const { before, sums_from } = line.retention;
      if (this.before === undefined || compareNanos(before, this.before) > 0) this.before = before;
      this.sumsFrom = Math.max(this.sumsFrom, sums_from);
    } else if (line.n > this.totalAt) {
      if (line.total) {
        this.totalAt = line.n;
        this.pruned = emptyPruned();
      }
      for (const cell of line.pruned.usage) this.pruned.usage.add(cell);
      for (const cell of line.pruned.analytics) this.pruned.analytics.add(cell);
    }
  }

  private put(entry: Entry): void {
    this.n = Math.max(this.n, entry.n);
    if ((this.entries.get(entry.executionId)?.n ?? 0) > entry.n) return;
    if ((this.forgottenAt.get(entry.executionId) ?? 0) > entry.n) return;
    this.entries.set(entry.executionId, entry);
    for (const traceId of entry.traceIds) {
      const own = this.byTrace.get(traceId);
      if (own === undefined) this.byTrace.set(traceId, new Set([entry.executionId]));
      else own.add(entry.executionId);
    }
  }

  private drop(executionId: string, n: number): void {
    const entry = this.entries.get(executionId);
    // Files are read day by day, but writers of one day one after the other: an older line may come later.
    this.forgottenAt.set(executionId, n);
    if (entry === undefined || entry.n > n) return;
    this.entries.delete(executionId);
    for (const traceId of entry.traceIds) {
      const own = this.byTrace.get(traceId);
      own?.delete(executionId);
      if (own?.size === 0) this.byTrace.delete(traceId);
    }
  }
}

function emptyPruned(): { usage: UsageCells; analytics: AnalyticsCells } {
  return { usage: new UsageCells(), analytics: new AnalyticsCells() };
}
