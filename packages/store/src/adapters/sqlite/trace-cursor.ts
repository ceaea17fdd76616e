import { decodeCursor, encodeCursor, invalidCursor } from "@spanloom/model";
import type { Place } from "./trace-order.ts";

/** How far someone has read in an execution's order. */
export interface TracePosition {
  /** The commit at which all pages look. */
  seq: number;
  /** Places that were passed, and the last one's span. */
  index: number;
  spanId: string;
}

/** @param mark Tells the cursor of this question from others, as `fingerprintOf` gives it. */
export function traceCursor(mark: string, { seq, index, spanId }: TracePosition): string {
  return encodeCursor([mark, seq, index, spanId]);
}

/** Throws `invalid_cursor`. */
export function readTraceCursor(cursor: unknown, mark: string): TracePosition {
  const position = typeof cursor === "string" ? decodeCursor(cursor) : undefined;
  if (!Array.isArray(position) || position.length !== 4) throw invalidCursor();
  const [found, seq, index, spanId] = position;
  if (found !== mark || !isCount(seq) || !isCount(index) || typeof spanId !== "string") throw invalidCursor();
  return { seq, index, spanId };
}

/** Where to go on. An order that was made again is the same unless spans moved or went away since. */
export function resume(order: readonly Place[], { index, spanId }: TracePosition): number {
  if (order[index - 1]?.[1] === spanId) return index;
  const found = order.findIndex((place) => place[1] === spanId);
  return found === -1 ? index : found + 1;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
