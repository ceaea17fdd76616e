import { decodeCursor, encodeCursor, invalidCursor } from "@spanloom/model";

/** Where a reading of pages goes on. */
export interface PagePosition {
  /** The commit that all its pages show. */
  seq: number;
  /** How many spans of the order were read. */
  index: number;
  /** The last of them. */
  spanId: string;
}

/** @param mark Tells the question, so that a cursor of another one is refused. */
export function encodePosition(mark: string, { seq, index, spanId }: PagePosition): string {
  return encodeCursor([mark, seq, index, spanId]);
}

/** Throws `invalid_cursor`. */
export function decodePosition(cursor: unknown, mark: string): PagePosition {
  const position = typeof cursor === "string" ? decodeCursor(cursor) : undefined;
  if (!Array.isArray(position) || position.length !== 4) throw invalidCursor();
  const [found, seq, index, spanId] = position;
  if (found !== mark || !isCount(seq) || !isCount(index) || typeof spanId !== "string") throw invalidCursor();
  return { seq, index, spanId };
}

/** The place in an order, which was kept, or was made again and is the same unless spans moved or went away since. */
export function resumeAt(order: readonly { readonly 1: string }[], { index, spanId }: PagePosition): number {
  if (order[index - 1]?.[1] === spanId) return index;
  const found = order.findIndex((row) => row[1] === spanId);
  return found === -1 ? index : found + 1;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
