import type { SpanRecord } from "@spanloom/model";
import type { PlacedRef } from "../../ledger/backing.ts";
import type { SpanRef, StoredSpan } from "../../ledger/changes.ts";
import { factsOf } from "../../ledger/facts.ts";
import type { Damage, ExecutionIndex } from "./execution-index.ts";
import { recordStart, type SpanLine, type SpanRange } from "./lines.ts";
import { type LogFiles, linesOf } from "./log-files.ts";

/** Where the line that holds for a span stands, and the record in it, in bytes. */
export interface Position {
  /** Of the span. */
  key: string;
  n: number;
  /** Where it belongs. */
  executionId: string;
  /** The execution that its record names. */
  written: string;
  file: string;
  start: number;
  end: number;
  recordStart: number;
}

export interface FoundSpan extends StoredSpan {
  position: Position;
}

interface Scan {
  /** Spans of other traces are left out: some of their states may stand elsewhere. */
  traceIds: ReadonlySet<string>;
  found: Map<string, FoundSpan>;
  superseded(position: Position): void;
}

/** Positions that are kept: some hundred bytes each. */
const MOST_POSITIONS = 300_000;
/** Bytes between two records that are read rather than jumped over, and bytes that are read at once. */
const GAP_BYTES = 64 << 10;
const READ_BYTES = 8 << 20;

/** The spans of one scope, read by the places that lines of executions name. */
export class SpanFiles {
  private readonly log: LogFiles;
  private readonly index: ExecutionIndex;
  private readonly onDamage: (damage: Damage) => void;
  private readonly positions = new Map<string, Position>();
  /** Counts what made positions worth nothing: a scan that began before must not bring them back. */
  private version = 0;

  constructor(log: LogFiles, index: ExecutionIndex, onDamage: (damage: Damage) => void) {
    this.log = log;
    this.index = index;
    this.onDamage = onDamage;
  }

  /**
   * The spans of every trace that these executions have or had. Older states of them, and of spans that went, are passed to
   * `superseded`.
   */
  async ofExecutions(
    executionIds: Iterable<string>,
    superseded: (position: Position) => void = () => undefined,
  ): Promise<FoundSpan[]> {
    const traceIds = new Set<string>();
    for (const id of executionIds)
      for (const traceId of this.index.line(id)?.trace_ids ?? []) traceIds.add(traceId);
    const scan: Scan = { traceIds, found: new Map(), superseded };
    const { version } = this;
    // A span that moved has its older states where another execution had it: all of them are looked through.
    for (const [file, ranges] of this.rangesOf(this.index.ofTraces(traceIds))) {
      for (const [start, end] of ranges) await this.scan(file, start, end, scan);
    }
    const spans: FoundSpan[] = [];
    for (const span of scan.found.values()) {
      if (this.index.line(span.executionId)?.summary === undefined) superseded(span.position);
      else {
        if (version === this.version) this.keep(span.position);
        spans.push(span);
      }
    }
    return spans;
  }

  /** Records as they stand, in the order asked for, each with the execution that it is asked for. */
  async records(refs: readonly PlacedRef[]): Promise<(string | undefined)[]> {
    await this.locate(refs);
    const texts = new Map<string, string>();
    for (const group of groupsOf(refs.flatMap((ref) => this.positions.get(keyOf(ref)) ?? []))) {
      const bytes = await this.log.read("spans", group.file, group.start, group.end);
      for (const { recordStart, end, file, start } of group.positions) {
        const text = bytes.toString("utf8", recordStart - group.start, end - 1 - group.start);
        texts.set(`${file}@${start}`, text);
      }
    }
    return refs.map((ref) => {
      const position = this.positions.get(keyOf(ref));
      const text = position && texts.get(`${position.file}@${position.start}`);
      // Another process took it away after it was found.
      if (position === undefined || text === undefined || !text.startsWith("{")) return undefined;
      if (position.written === ref.executionId) return text;
      return JSON.stringify({ ...(JSON.parse(text) as SpanRecord), executionId: ref.executionId });
    });
  }

  /** Another process may have written these anew. */
  forget(executionIds: ReadonlySet<string>): void {
    if (executionIds.size === 0) return;
    this.version++;
    for (const [key, { executionId }] of this.positions) {
      if (executionIds.has(executionId)) this.positions.delete(key);
    }
  }

  /** The span was just written there. */
  remember(position: Position): void {
    this.version++;
    this.keep(position);
  }

  drop(ref: SpanRef): void {
    this.version++;
    this.positions.delete(keyOf(ref));
  }

  private keep(position: Position): void {
    this.positions.set(position.key, position);
    if (this.positions.size <= MOST_POSITIONS) return;
    for (const oldest of this.positions.keys()) {
      this.positions.delete(oldest);
      if (this.positions.size <= MOST_POSITIONS * 0.8) return;
    }
  }

  private async locate(refs: readonly SpanRef[]): Promise<void> {
    const missing = new Set(refs.flatMap((ref) => (this.positions.has(keyOf(ref)) ? [] : [ref.traceId])));
    if (missing.size > 0) await this.ofExecutions(this.index.ofTraces(missing));
  }

  /** Where all lines stand that an execution names, by file: sorted and without overlap. */
  rangesOfAll(): ReadonlyMap<string, readonly [start: number, end: number][]> {
    return this.rangesOf(this.index.entries.keys());
  }

  private rangesOf(executionIds: Iterable<string>): Map<string, [number, number][]> {
    const byFile = new Map<string, [number, number][]>();
    for (const executionId of executionIds) {
      for (const [file, start, end] of this.index.line(executionId)?.spans ?? []) {
        const ranges = byFile.get(file);
        if (ranges === undefined) byFile.set(file, [[start, end]]);
        else ranges.push([start, end]);
      }
    }
    for (const [file, ranges] of byFile) byFile.set(file, joined(ranges, READ_BYTES));
    return byFile;
  }

  private async scan(
    file: string,
    from: number,
    to: number,
    { traceIds, found, superseded }: Scan,
  ): Promise<void> {
    const bytes = await this.log.read("spans", file, from, to);
    if (bytes.length < to - from) {
      this.onDamage({ file: `spans/${file}`, offset: from, why: "the file is shorter than it was, or gone" });
    }
    for (const { text, start, end } of linesOf(bytes, from)) {
      const span = this.parse(text, file, start, end);
      if (span === undefined || !traceIds.has(span.facts.traceId)) continue;
      const { key } = span.position;
      const other = found.get(key);
      if (other === undefined || span.position.n >= other.position.n) {
        if (other !== undefined && !samePlace(other.position, span.position)) superseded(other.position);
        found.set(key, span);
      } else superseded(span.position);
    }
  }

  private parse(text: string, file: string, start: number, end: number): FoundSpan | undefined {
    try {
      const { n, execution_id, ins_seq, seq, record } = JSON.parse(text) as SpanLine;
      const facts = factsOf(record as SpanRecord);
      const head = Buffer.byteLength(text.slice(0, recordStart(text)));
      const position = {
        ...{ key: keyOf(facts), n, executionId: execution_id, written: facts.executionId },
        ...{ file, start, end, recordStart: start + head },
      };
      return { facts, executionId: execution_id, insSeq: ins_seq, seq, position };
    } catch {
      this.onDamage({ file: `spans/${file}`, offset: start, why: "the line is no JSON object of a span" });
      return undefined;
    }
  }
}

/** Ranges that touch or overlap as one, in parts of a bounded size. */
function joined(ranges: readonly (readonly [number, number])[], most: number): [number, number][] {
  const result: [number, number][] = [];
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start <= last[1] && Math.max(end, last[1]) - last[0] <= most) {
      last[1] = Math.max(last[1], end);
    } else if (last === undefined || end > last[1]) result.push([Math.max(start, last?.[1] ?? 0), end]);
  }
  return result;
}

export function addRange(ranges: readonly SpanRange[], [file, start, end]: SpanRange): SpanRange[] {
  const last = ranges.at(-1);
  if (last !== undefined && last[0] === file && last[2] === start) {
    return [...ranges.slice(0, -1), [file, last[1], end]];
  }
  return [...ranges, [file, start, end]];
}

interface Group {
  file: string;
  start: number;
  end: number;
  positions: Position[];
}

/** Records that stand near each other are read together. */
function groupsOf(positions: Position[]): Group[] {
  const groups: Group[] = [];
  const sorted = positions.toSorted((a, b) =>
    a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1,
  );
  for (const position of sorted) {
    const last = groups.at(-1);
    const near =
      last !== undefined &&
      last.file === position.file &&
      position.start - last.end <= GAP_BYTES &&
      position.end - last.start <= READ_BYTES;
    if (near) {
      last.end = Math.max(last.end, position.end);
      last.positions.push(position);
    } else
      groups.push({ file: position.file, start: position.start, end: position.end, positions: [position] });
  }
  return groups;
}

function samePlace(a: Position, b: Position): boolean {
  return a.file === b.file && a.start === b.start;
}

function keyOf({ traceId, spanId }: SpanRef): string {
  return `${traceId}/${spanId}`;
}
