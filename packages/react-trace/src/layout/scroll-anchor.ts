import type { TraceModel, TraceNode } from "./trace-model.ts";
import { rowShowing } from "./visible-rows.ts";

/** What the reader looks at: a span, and how far its row stands below the top edge of the view. */
export interface ScrollAnchor {
  key: string;
  /** Spans to hold on to, in this order, when the one before is gone: the rest of the view. */
  fallbacks: readonly string[];
  offsetPx: number;
}

/** Takes the anchor at the first row that is wholly in view. */
export function takeAnchor(
  model: TraceModel,
  rows: Int32Array,
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
): ScrollAnchor | undefined {
  const first = Math.min(Math.ceil(scrollTop / rowHeight), rows.length - 1);
  if (first < 0) return undefined;
  const last = Math.min(first + Math.floor(viewHeight / rowHeight), rows.length);
  const keys = Array.from(rows.subarray(first, Math.max(last, first + 1)), (index) => keyAt(model, index));
  return { key: keys[0] as string, fallbacks: keys.slice(1), offsetPx: first * rowHeight - scrollTop };
}

/** Where to scroll so that the anchor stands where it stood; `undefined` when nothing of the old view is left. */
export function scrollTopFor(
  anchor: ScrollAnchor,
  model: TraceModel,
  rows: Int32Array,
  rowHeight: number,
): number | undefined {
  for (const [at, key] of [anchor.key, ...anchor.fallbacks].entries()) {
    const index = model.indexOf(key);
    if (index < 0) continue;
    const row = rowShowing(model, rows, index);
    if (row >= 0) return Math.max((row - at) * rowHeight - anchor.offsetPx, 0);
  }
  return undefined;
}

function keyAt(model: TraceModel, index: number): string {
  return (model.nodes[index] as TraceNode).key;
}
