import {
  decodeCursor,
  encodeCursor,
  type GetTraceQuery,
  invalidCursor,
  type SpanSkeleton,
} from "@spanloom/model";
import { buildSpanTree, preOrder } from "@spanloom/model/tree";
import { checkOneOf, checkWhole } from "../check-arguments.ts";
import { fingerprintOf } from "../list-query.ts";
import { createPageRoom } from "../page-room.ts";
import type { SpanRef } from "./changes.ts";
import type { FeedEntry } from "./feed.ts";
import type { HeldExecution } from "./held-execution.ts";

/** What a caller gets of a stored span, and how many characters its JSON has. */
export interface Sized<S> {
  span: S;
  length: number;
}

export interface SpanPage<S> {
  spans: S[];
  asOfSeq: number;
  /** All spans at `asOfSeq` that are still there. */
  spanCount: number;
  nextCursor?: string;
}

/** Orders of executions that are being paged through: a cursor survives everything that is written meanwhile. */
const KEPT_ORDERS = 4;
/** Full records that are fetched at once: one page may end after any of them. */
const FULL_CHUNK = 100;

/** Pages through executions in pre-order, each reading as of one commit. */
export class TracePages {
  private readonly orders = new WeakMap<HeldExecution, Map<number, FeedEntry[]>>();

  /** Begins a page; whoever keeps the records then adds them. Throws `invalid_argument` and `invalid_cursor`. */
  start(execution: HeldExecution, query: GetTraceQuery): PageDraft {
    const view = checkOneOf(query.view, "view", ["skeleton", "full"] as const, "skeleton");
    const fallback = view === "full" ? 500 : 10_000;
    const limit = checkWhole(query.limit, "limit", { least: 1, most: 10_000, fallback });
    const asked = checkWhole(query.asOfSeq, "asOfSeq", { fallback: execution.seq });
    const mark = fingerprintOf([execution.executionId]);
    const from = query.cursor === undefined ? undefined : readPosition(query.cursor, mark);
    if (from !== undefined && query.asOfSeq !== undefined && from.seq !== query.asOfSeq)
      throw invalidCursor();
    const asOfSeq = Math.min(from?.seq ?? asked, execution.seq);
    const order = this.order(execution, asOfSeq);
    const first = from === undefined ? 0 : resume(order, from);
    return new PageDraft({ view, limit, asOfSeq, order, first, mark });
  }

  /** The spans of an execution in the order of its pages, as of a commit. Those that went away since have no `span`. */
  order(execution: HeldExecution, asOfSeq: number): readonly FeedEntry[] {
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

/**
 * One page in the making. `next` names spans whose records it can still take, a chunk at a time; `add` is called for each
 * of them in that order; when `next` names none any more, the page is full or the trace at its end.
 */
export class PageDraft {
  readonly view: "skeleton" | "full";
  private readonly limit: number;
  private readonly asOfSeq: number;
  private readonly order: readonly FeedEntry[];
  private readonly mark: string;
  private readonly fits = createPageRoom();
  private readonly spans: SpanSkeleton[] = [];
  /** Entries before this have had their turn. */
  private index: number;
  /** The chunk that `next` gave, and how far it was added. */
  private chunk: FeedEntry[] = [];
  private added = 0;
  private full = false;

  constructor(page: {
    view: "skeleton" | "full";
    limit: number;
    asOfSeq: number;
    order: readonly FeedEntry[];
    first: number;
    mark: string;
  }) {
    this.view = page.view;
    this.limit = page.limit;
    this.asOfSeq = page.asOfSeq;
    this.order = page.order;
    this.index = page.first;
    this.mark = page.mark;
  }

  next(): readonly SpanRef[] {
    this.chunk = [];
    this.added = 0;
    const room = this.limit - this.spans.length;
    const most = this.view === "full" ? Math.min(room, FULL_CHUNK) : room;
    for (let at = this.index; !this.full && this.chunk.length < most && at < this.order.length; at++) {
      const entry = this.order[at] as FeedEntry;
      if (entry.span !== undefined) this.chunk.push(entry);
    }
    return this.chunk;
  }

  /** Takes the next span of the chunk; `undefined` where it went away meanwhile. Once the page is full it takes none. */
  add(found: Sized<SpanSkeleton> | undefined): void {
    const entry = this.chunk[this.added++];
    if (this.full || entry === undefined) return;
    if (found !== undefined && !this.fits(found.length)) {
      this.full = true;
      return;
    }
    if (found !== undefined) this.spans.push(found.span);
    this.index = this.order.indexOf(entry, this.index) + 1;
  }

  finish(): SpanPage<SpanSkeleton> {
    const { order, index, asOfSeq, mark, spans } = this;
    const last = order[index - 1];
    let more = false;
    for (let at = index; !more && at < order.length; at++) more = order[at]?.span !== undefined;
    return {
      spans,
      asOfSeq,
      spanCount: order.reduce((count, entry) => count + Number(entry.span !== undefined), 0),
      ...(more && last && { nextCursor: encodeCursor([mark, asOfSeq, index, keyOf(last)]) }),
    };
  }
}

function preOrderOf(execution: HeldExecution, asOfSeq: number): FeedEntry[] {
  const entries = new Map<string, FeedEntry>();
  const views = [];
  for (const span of execution.spans()) {
    if (span.entry.insSeq > asOfSeq) continue;
    views.push(span.view);
    entries.set(keyOf(span.entry), span.entry);
  }
  return preOrder(buildSpanTree(views).roots).flatMap((node) => entries.get(node.key) ?? []);
}

export interface Position {
  seq: number;
  index: number;
  key: string;
}

export function readPosition(cursor: unknown, mark: string): Position {
  const position = typeof cursor === "string" ? decodeCursor(cursor) : undefined;
  if (!Array.isArray(position) || position.length !== 4) throw invalidCursor();
  const [found, seq, index, key] = position;
  if (found !== mark || !isCount(seq) || !isCount(index) || typeof key !== "string") throw invalidCursor();
  return { seq, index, key };
}

/** Where to go on. The order was kept, or was made again and is the same unless spans moved or went away since. */
export function resume(order: readonly FeedEntry[], { index, key }: Position): number {
  const before = order[index - 1];
  if (before !== undefined && keyOf(before) === key) return index;
  const found = order.findIndex((entry) => keyOf(entry) === key);
  return found === -1 ? index : found + 1;
}

export function keyOf(entry: FeedEntry): string {
  return `${entry.traceId}/${entry.spanId}`;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
