import { buildSpanTree, preOrder } from "@spanloom/model/tree";
import { joinTime } from "./row-codec.ts";

/** What of a span's row its place in a pre-order depends on; `trace` is the trace's id, or a number for it. */
export type PlacedRow<T> = readonly [
  trace: T,
  spanId: string,
  parentId: string | null,
  startMs: number,
  startNs: number,
  ...more: unknown[],
];

/**
 * The rows of an execution in the pre-order of its pages, as `buildSpanTree` gives it; `rows` itself is sorted on the way. Made
 * from plain values, since the first page of a large trace waits for it; only cycles and spans of several traces need the
 * tree itself.
 */
export function pageOrder<T, R extends PlacedRow<T>>(rows: R[], traceIdOf: (trace: T) => string): R[] {
  return orderOfOneTrace<T, R>(rows) ?? orderByTree(rows, traceIdOf);
}

/** `undefined` where spans are of several traces, or some hang below a cycle. */
function orderOfOneTrace<T, R extends PlacedRow<T>>(rows: R[]): R[] | undefined {
  const trace = rows[0]?.[0];
  if (rows.some((row) => row[0] !== trace)) return undefined;
  rows.sort((a, b) => a[3] - b[3] || a[4] - b[4] || (a[1] < b[1] ? -1 : 1));
  const ids = new Set(rows.map((row) => row[1]));
  const children = new Map<string, R[]>();
  const roots: R[] = [];
  for (const row of rows) {
    const parentId = row[2];
    if (parentId === null || !ids.has(parentId)) {
      roots.push(row);
      continue;
    }
    const siblings = children.get(parentId);
    if (siblings === undefined) children.set(parentId, [row]);
    else siblings.push(row);
  }
  const order: R[] = [];
  const stack = roots.reverse();
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    order.push(row);
    const below = children.get(row[1]);
    if (below === undefined) continue;
    for (let index = below.length - 1; index >= 0; index--) stack.push(below[index] as R);
  }
  return order.length === rows.length ? order : undefined;
}

function orderByTree<T, R extends PlacedRow<T>>(rows: readonly R[], traceIdOf: (trace: T) => string): R[] {
  const spans = rows.map((row) => ({
    row,
    traceId: traceIdOf(row[0]),
    spanId: row[1],
    ...(row[2] !== null && { parentSpanId: row[2] }),
    startTime: joinTime([row[3], row[4]]),
  }));
  return preOrder(buildSpanTree(spans).roots).map(({ span }) => span.row);
}
