import { bearsBelow } from "@spanloom/model";
import { parseSkeleton } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import { loadRow, type SpanRow, saveRow, type TraceRow } from "./span-rows.ts";

/**
 * Keeps for each span what its descendants bear, so that usage counts once. What a span begins to bear climbs until
 * nothing changes: each bit of a span is set once. What it no longer bears makes its parents look at their children again.
 */
export interface LeafBits {
  /** After the records were taken over and before rows are saved: sets `below` and `sub`, also of ancestors. */
  gain(changed: readonly SpanRow[]): void;
  /** After rows are saved: takes back what no child bears any more, and saves those rows. */
  lose(also?: readonly Lost[]): void;
}

/** A span, there or not, that may have lost what a child bore. */
export interface Lost {
  trace: TraceRow;
  spanId: string;
}

/** More waiting parents of one trace than this are asked for one by one. */
const MOST_GAPS_READ = 256;

export function createLeafBits(db: Connection): LeafBits {
  const lost: Lost[] = [];
  const gaps = new Map<TraceRow, Gaps>();
  const gapsOf = (trace: TraceRow): Gaps => {
    let found = gaps.get(trace);
    if (found === undefined) {
      found = readGaps(db, trace);
      gaps.set(trace, found);
    }
    return found;
  };

  const climb = (from: SpanRow): void => {
    for (let row = from; row.now.parentId !== null && row.now.sub !== 0; ) {
      const { sub, parentId } = row.now;
      const parent = loadRow(db, row.trace, parentId);
      if (parent === undefined) {
        gapsOf(row.trace).add(parentId, sub);
        return;
      }
      if ((sub & ~parent.now.below) === 0) return;
      parent.now.below |= sub;
      const before = parent.now.sub;
      parent.now.sub |= sub;
      if (parent.now.sub === before) return;
      row = parent;
    }
  };

  return {
    gain: (changed) => {
      for (const row of changed) {
        if (row.before === undefined) row.now.below |= gapsOf(row.trace).take(row.spanId);
        row.now.sub = row.now.bears | row.now.below;
      }
      for (const row of changed) {
        climb(row);
        const { before, now } = row;
        // On a cycle, what it no longer bears may seem to come back from below.
        if (before !== undefined && (before.bears & ~now.bears & now.below) !== 0) {
          lost.push({ trace: row.trace, spanId: row.spanId });
        }
        if (before === undefined || before.sub === 0 || before.parentId === null) continue;
        if (before.parentId !== now.parentId || (before.sub & ~now.sub) !== 0) {
          lost.push({ trace: row.trace, spanId: before.parentId });
        }
      }
      for (const waiting of gaps.values()) waiting.save();
    },
    lose: (also = []) => {
      lost.push(...also);
      const rebuilt = new Set<TraceRow>();
      for (let next = lost.pop(); next !== undefined; next = lost.pop()) {
        const { trace, spanId } = next;
        if (rebuilt.has(trace)) continue;
        const row = loadRow(db, trace, spanId);
        if (row === undefined) {
          setGap(db, trace.no, spanId, childBits(db, trace.no, spanId));
          continue;
        }
        if (isOnCycle(db, row)) {
          // Spans on a cycle would keep each other's bits for ever.
          rebuildTrace(db, trace);
          rebuilt.add(trace);
          continue;
        }
        const below = childBits(db, trace.no, spanId);
        if (below === row.now.below) continue;
        const before = row.now.sub;
        row.now.below = below;
        row.now.sub = row.now.bears | below;
        saveRow(db, row);
        if (row.now.sub !== before && row.now.parentId !== null)
          lost.push({ trace, spanId: row.now.parentId });
      }
    },
  };
}

const HAS = "EXISTS (SELECT 1 FROM span WHERE trace_no = ? AND parent_id = ?";
/** SQLite uses the partial index only where its condition is repeated. */
const CHILD_BITS = `SELECT CASE WHEN ${HAS} AND sub = 3 AND sub > 0) THEN 3
  ELSE ${HAS} AND sub = 1 AND sub > 0) + 2 * ${HAS} AND sub = 2 AND sub > 0) END`;

/** What the stored children of a span bear, with all below them. */
function childBits(db: Connection, traceNo: number, spanId: string): number {
  const child = [traceNo, spanId];
  return (db.statement(CHILD_BITS).get(...child, ...child, ...child) as [number])[0];
}

/** Keeps what waits for a span that is not there; 0 for nothing. */
function setGap(db: Connection, traceNo: number, spanId: string, bits: number): void {
  if (bits === 0)
    db.statement("DELETE FROM span_gap WHERE trace_no = ? AND span_id = ?").run(traceNo, spanId);
  else
    db.statement("INSERT INTO span_gap VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bits = excluded.bits").run(
      traceNo,
      spanId,
      bits,
    );
}

interface Gaps {
  /** What waited for the span, which is there now. */
  take(spanId: string): number;
  add(spanId: string, bits: number): void;
  save(): void;
}

function readGaps(db: Connection, trace: TraceRow): Gaps {
  const waiting = new Map<string, number>();
  const changed = new Set<string>();
  let complete = true;
  if (!trace.isNew) {
    const found = db
      .statement(`SELECT span_id, bits FROM span_gap WHERE trace_no = ? LIMIT ${MOST_GAPS_READ + 1}`)
      .all(trace.no) as [string, number][];
    complete = found.length <= MOST_GAPS_READ;
    if (complete) for (const [spanId, bits] of found) waiting.set(spanId, bits);
  }
  const bitsOf = (spanId: string): number => {
    const known = waiting.get(spanId);
    if (known !== undefined || complete) return known ?? 0;
    const found = db
      .statement("SELECT bits FROM span_gap WHERE trace_no = ? AND span_id = ?")
      .get(trace.no, spanId) as [number] | undefined;
    waiting.set(spanId, found?.[0] ?? 0);
    return found?.[0] ?? 0;
  };
  return {
    take: (spanId) => {
      const bits = bitsOf(spanId);
      if (bits === 0) return 0;
      waiting.set(spanId, 0);
      changed.add(spanId);
      return bits;
    },
    add: (spanId, bits) => {
      const had = bitsOf(spanId);
      if ((bits & ~had) === 0) return;
      waiting.set(spanId, had | bits);
      changed.add(spanId);
    },
    save: () => {
      for (const spanId of changed) setGap(db, trace.no, spanId, waiting.get(spanId) ?? 0);
    },
  };
}

/** Following parents from the row leads back to it. */
function isOnCycle(db: Connection, row: SpanRow): boolean {
  const seen = new Set<string>();
  let next = row.now.parentId;
  while (next !== null && !seen.has(next)) {
    if (next === row.spanId) return true;
    seen.add(next);
    next = loadRow(db, row.trace, next)?.now.parentId ?? null;
  }
  return false;
}

/** Works out the bits of a whole trace from its spans. */
function rebuildTrace(db: Connection, trace: TraceRow): void {
  const stored = db.statement("SELECT skeleton, span_id FROM span WHERE trace_no = ?").all(trace.no) as [
    string,
    string,
  ][];
  const below = bearsBelow(stored.map(([skeleton]) => parseSkeleton(skeleton)));
  for (const [, spanId] of stored) {
    const row = loadRow(db, trace, spanId);
    const bits = below.get(`${trace.id}/${spanId}`) ?? 0;
    if (row === undefined || row.now.below === bits) continue;
    row.now.below = bits;
    row.now.sub = row.now.bears | bits;
    saveRow(db, row);
  }
  const gaps = db.statement("SELECT span_id FROM span_gap WHERE trace_no = ?").all(trace.no) as [string][];
  for (const [spanId] of gaps) setGap(db, trace.no, spanId, childBits(db, trace.no, spanId));
}
