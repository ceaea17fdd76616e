import {
  decodeCursor,
  encodeCursor,
  type GetTraceQuery,
  invalidCursor,
  type SpanRecord,
  type SpanSkeleton,
} from "@spanloom/model";
import { buildSpanTree, preOrder } from "@spanloom/model/tree";
import { checkOneOf, checkWhole } from "../check-arguments.ts";
import { fingerprintOf } from "../list-query.ts";
import { createPageRoom } from "../page-room.ts";
import { copyRecord, copySkeleton } from "./copies.ts";
import type { FeedEntry, HeldExecution } from "./spans.ts";

export interface SpanPage {
  /** Copies, the caller's to change. */
  spans: SpanSkeleton[];
  asOfSeq: number;
  spanCount: number;
  nextCursor?: string;
}

/** Orders of executions that are being paged through: a cursor survives everything that is written meanwhile. */
const KEPT_ORDERS = 4;

/** Pages through executions in pre-order, each reading as of one commit. */
export class TracePages {
  private readonly orders = new WeakMap<HeldExecution, Map<number, FeedEntry[]>>();

  /** Throws `invalid_argument` and `invalid_cursor`. */
  page(execution: HeldExecution, query: GetTraceQuery): SpanPage {
    const view = checkOneOf(query.view, "view", ["skeleton", "full"] as const, "skeleton");
    const fallback = view === "full" ? 500 : 10_000;
    const limit = checkWhole(query.limit, "limit", { least: 1, most: 10_000, fallback });
    const asked = checkWhole(query.asOfSeq, "asOfSeq", { fallback: execution.seq });
    const mark = fingerprintOf([execution.executionId]);
    const from = query.cursor === undefined ? undefined : readCursor(query.cursor, mark);
    if (from !== undefined && query.asOfSeq !== undefined && from.seq !== query.asOfSeq)
      throw invalidCursor();
    const asOfSeq = Math.min(from?.seq ?? asked, execution.seq);
    const order = this.order(execution, asOfSeq);
    const spans: SpanSkeleton[] = [];
    const fits = createPageRoom();
    const copyOf = view === "full" ? copyRecord : copySkeleton;
    let index = from === undefined ? 0 : resume(order, from);
    for (; index < order.length && spans.length < limit; index++) {
      const span = order[index]?.span;
      if (span === undefined) continue;
      const copy = copyOf(span.view);
      if (!fits(copy.length)) break;
      spans.push(copy.span);
    }
    const last = order[index - 1];
    const more = order.slice(index).some((entry) => entry.span !== undefined);
    return {
      spans,
      asOfSeq,
      spanCount: order.reduce((count, entry) => count + Number(entry.span !== undefined), 0),
      ...(more && last && { nextCursor: encodeCursor([mark, asOfSeq, index, keyOf(last)]) }),
    };
  }

  private order(execution: HeldExecution, asOfSeq: number): FeedEntry[] {
    const kept = this.orders.get(execution) ?? new Map<number, FeedEntry[]>();
    this.orders.set(execution, kept);
    const order = kept.get(asOfSeq) ?? preOrderOf(execution, asOfSeq);
    kept.delete(asOfSeq);
    kept.set(asOfSeq, order);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_ORDERS) break;
      kept.delete(oldest);
    }
    return order;
  }
}

function preOrderOf(execution: HeldExecution, asOfSeq: number): FeedEntry[] {
  const views: SpanRecord[] = [];
  for (const { span, insSeq } of execution.feed.values()) {
    if (span !== undefined && insSeq <= asOfSeq) views.push(span.view);
  }
  return preOrder(buildSpanTree(views).roots).flatMap((node) => execution.feed.get(node.key) ?? []);
}

interface Position {
  seq: number;
  index: number;
  key: string;
}

function readCursor(cursor: unknown, mark: string): Position {
  const position = typeof cursor === "string" ? decodeCursor(cursor) : undefined;
  if (!Array.isArray(position) || position.length !== 4) throw invalidCursor();
  const [found, seq, index, key] = position;
  if (found !== mark || !isCount(seq) || !isCount(index) || typeof key !== "string") throw invalidCursor();
  return { seq, index, key };
}

/** Where to go on. The order was kept, or was made again and is the same unless spans moved or went away since. */
function resume(order: readonly FeedEntry[], { index, key }: Position): number {
  const before = order[index - 1];
  if (before !== undefined && keyOf(before) === key) return index;
  const found = order.findIndex((entry) => keyOf(entry) === key);
  return found === -1 ? index : found + 1;
}

function keyOf(entry: FeedEntry): string {
  return `${entry.traceId}/${entry.spanId}`;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
