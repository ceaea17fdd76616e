import type { LedgerChanges } from "../../ledger/changes.ts";
import type { ExecutionIndex } from "./execution-index.ts";
import { executionHead } from "./lines.ts";
import { type Kind, type LogFiles, linesOf } from "./log-files.ts";
import { NamelessLines } from "./nameless-lines.ts";
import type { Position, SpanFiles } from "./span-files.ts";

/** Executions whose spans are looked through at once. */
const AT_ONCE = 50;

/** Overwrites lines that must not stay in the files of a scope. Nobody may write meanwhile. */
export class Erasure {
  private readonly log: LogFiles;
  private readonly index: ExecutionIndex;
  private readonly spans: SpanFiles;
  private readonly nameless: NamelessLines;
  /** Deleted, pruned and vanished executions of which older lines may stand in the files. */
  private readonly gone = new Set<string>();

  constructor(log: LogFiles, index: ExecutionIndex, spans: SpanFiles) {
    this.log = log;
    this.index = index;
    this.spans = spans;
    this.nameless = new NamelessLines(log, spans);
  }

  /** Before a change is saved: every line of what goes, of its spans wherever they stood, and of spans that had left it. */
  async spansOf({ removed, executions, forgotten }: LedgerChanges): Promise<Blanks> {
    const blanks = new Blanks();
    if (removed.length === 0) return blanks;
    const keys = new Set(removed.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
    const going = new Set(forgotten);
    for (const { executionId, deleted } of executions) if (deleted) going.add(executionId);
    const add = ({ file, start, end }: Position): void => blanks.add(file, start, end);
    const traces = this.index.ofTraces(new Set(removed.map((ref) => ref.traceId)));
    for (const { position } of await this.spans.ofExecutions(new Set([...traces, ...going]), (older) => {
      if (keys.has(older.key) || going.has(older.executionId)) add(older);
    })) {
      if (keys.has(position.key)) add(position);
    }
    return blanks;
  }

  /** After it was saved. What is left of it goes with the next {@link olderLines}. */
  async spansAreGone(going: Blanks, { executions, forgotten }: LedgerChanges): Promise<void> {
    for (const id of forgotten) this.gone.add(id);
    for (const { executionId, summary } of executions) if (summary === undefined) this.gone.add(executionId);
    await going.write(this.log, "spans");
  }

  /** Of these executions, and of all that went, only what holds stays. */
  async olderLines(executionIds: ReadonlySet<string>): Promise<void> {
    const ids = [...executionIds];
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const blanks = new Blanks();
      const some = ids.slice(at, at + AT_ONCE);
      await this.spans.ofExecutions(some, ({ file, start, end }) => blanks.add(file, start, end));
      await blanks.write(this.log, "spans");
    }
    const going = new Set([...this.gone, ...ids]);
    await this.nameless.erase(going, new Set(ids.flatMap((id) => this.index.line(id)?.trace_ids ?? [])));
    await this.eraseLines(going);
    this.gone.clear();
  }

  /** Of each execution only the line that holds stays. */
  private async eraseLines(executionIds: ReadonlySet<string>): Promise<void> {
    if (executionIds.size === 0) return;
    const blanks = new Blanks();
    for (const file of await this.log.list("executions")) {
      const bytes = await this.log.read(
        "executions",
        file,
        0,
        (await this.log.size("executions", file)) ?? 0,
      );
      for (const { text, start, end } of linesOf(bytes)) {
        const head = executionHead(text);
        if (head === undefined || !executionIds.has(head.execution_id)) continue;
        if (this.index.line(head.execution_id)?.n !== head.n) blanks.add(file, start, end);
      }
    }
    await blanks.write(this.log, "executions");
  }
}

/** Lines to be overwritten, by file. */
class Blanks {
  private readonly byFile = new Map<string, [number, number][]>();

  add(file: string, start: number, end: number): void {
    const ranges = this.byFile.get(file);
    if (ranges === undefined) this.byFile.set(file, [[start, end]]);
    else ranges.push([start, end]);
  }

  async write(log: LogFiles, kind: Kind): Promise<void> {
    for (const [file, ranges] of this.byFile) await log.blank(kind, file, ranges);
  }
}
