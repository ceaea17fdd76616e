import { executionHead } from "./lines.ts";
import type { LogFiles } from "./log-files.ts";
import type { SpanFiles } from "./span-files.ts";

/** A line of spans that no execution names. It may have been cut off. */
interface NamelessLine {
  executionId: string | undefined;
  traceIds: string[];
  start: number;
  end: number;
}

const READ_BYTES = 8 << 20;

/**
 * Lines of spans that no line of an execution names: what a crash left of writes, and of deletions that it broke off. They
 * count for nothing, but hold content, so that a deletion has to reach them. Each file is looked through once, and again
 * where it grew; nobody may write meanwhile.
 */
export class NamelessLines {
  private readonly log: LogFiles;
  private readonly spans: SpanFiles;
  private readonly files = new Map<string, { seen: [start: number, end: number][]; lines: NamelessLine[] }>();

  constructor(log: LogFiles, spans: SpanFiles) {
    this.log = log;
    this.spans = spans;
  }

  /** Erases those of the executions, and of the traces. */
  async erase(executionIds: ReadonlySet<string>, traceIds: ReadonlySet<string>): Promise<void> {
    await this.find();
    const goes = ({ executionId, traceIds: own }: NamelessLine): boolean =>
      (executionId !== undefined && executionIds.has(executionId)) || own.some((id) => traceIds.has(id));
    for (const [file, found] of this.files) {
      const going = found.lines.filter(goes);
      if (going.length === 0) continue;
      await this.log.blank(
        "spans",
        file,
        going.map(({ start, end }) => [start, end]),
      );
      found.lines = found.lines.filter((line) => !goes(line));
    }
  }

  private async find(): Promise<void> {
    const named = this.spans.rangesOfAll();
    const files = await this.log.list("spans");
    for (const file of this.files.keys()) if (!files.includes(file)) this.files.delete(file);
    for (const file of files) {
      const size = (await this.log.size("spans", file)) ?? 0;
      const found = this.files.get(file) ?? { seen: [], lines: [] };
      // What was named when the file was looked through may be nameless now: a deletion broke off.
      const known = [...(named.get(file) ?? []), ...found.seen].sort((a, b) => a[0] - b[0]);
      for (const [start, end] of gapsIn(known, 0, size)) {
        for await (const line of this.linesIn(file, start, end)) found.lines.push(line);
        found.seen.push([start, end]);
      }
      this.files.set(file, found);
    }
  }

  /** In parts of a bounded size, unless a line is longer. */
  private async *linesIn(
    file: string,
    from: number,
    to: number,
  ): AsyncGenerator<NamelessLine, void, undefined> {
    for (let start = from, most = READ_BYTES; start < to; ) {
      const end = Math.min(to, start + most);
      const bytes = await this.log.read("spans", file, start, end);
      const whole = end === to ? bytes.length : bytes.lastIndexOf(10) + 1;
      if (whole === 0 && bytes.length > 0) {
        most *= 2;
        continue;
      }
      if (bytes.length === 0) return;
      yield* linesOf(bytes.subarray(0, whole), start);
      start += whole;
      most = READ_BYTES;
    }
  }
}

/** Also one that was cut off; not what was erased as a whole. */
function* linesOf(bytes: Buffer, at: number): Generator<NamelessLine, void, undefined> {
  for (let from = 0; from < bytes.length; ) {
    const next = bytes.indexOf(10, from);
    const to = next === -1 ? bytes.length : next;
    const text = bytes.toString("utf8", from, to);
    if (text.trim() !== "") {
      yield {
        executionId: executionHead(text)?.execution_id,
        traceIds: text.match(TRACE_ID)?.map((found) => found.slice(-33, -1)) ?? [],
        start: at + from,
        end: at + to,
      };
    }
    from = to + 1;
  }
}

const TRACE_ID = /"traceId":"[0-9a-f]{32}"/g;

/** What lies between ranges that are sorted and do not overlap. */
function* gapsIn(
  ranges: readonly (readonly [start: number, end: number])[],
  from: number,
  to: number,
): Generator<[start: number, end: number], void, undefined> {
  let at = from;
  for (const [start, end] of [...ranges, [to, to] as const]) {
    if (start > at) yield [at, Math.min(start, to)];
    at = Math.max(at, end);
  }
}
