import type { SpanKind, SpanSkeleton } from "@spanloom/model";
import type { TraceModel, TraceNode } from "./trace-model.ts";

export interface SpanFilters {
  errorsOnly: boolean;
  aiOnly: boolean;
}

/** Which spans a filter keeps, by pre-order index: 2 it matches, 1 something below it matches, 0 hidden. */
export interface KeptSpans {
  marks: Uint8Array;
  matchCount: number;
}

const AI_KINDS: ReadonlySet<SpanKind> = new Set(["agent", "llm", "embedding", "retriever"]);

/** A span that a model, an agent, an embedding or a retrieval made. */
function isAiSpan(span: SpanSkeleton): boolean {
  return AI_KINDS.has(span.kind) || span.model !== undefined;
}

/** Applies the toggles; several narrow together. `undefined` when none is on. Ancestors of a match stay as context. */
export function keepSpans(model: TraceModel, filters: SpanFilters): KeptSpans | undefined {
  if (!filters.errorsOnly && !filters.aiOnly) return undefined;
  const marks = new Uint8Array(model.nodes.length);
  let matchCount = 0;
  for (let index = marks.length - 1; index >= 0; index--) {
    const { span } = model.nodes[index] as TraceNode;
    const matches =
      (!filters.errorsOnly || span.status.code === "error") && (!filters.aiOnly || isAiSpan(span));
    if (matches) {
      marks[index] = 2;
      matchCount++;
    }
    const parent = model.parents[index] as number;
    if (marks[index] !== 0 && parent >= 0 && marks[parent] === 0) marks[parent] = 1;
  }
  return { marks, matchCount };
}

/** What a screen reader hears of a row's place among the siblings that the filter kept. */
export interface SiblingPlaces {
  setSize: Int32Array;
  /** From 1. */
  position: Int32Array;
}

export function siblingPlaces(model: TraceModel, kept: KeptSpans | undefined): SiblingPlaces {
  const size = model.nodes.length;
  const counts = new Int32Array(size + 1);
  const position = new Int32Array(size);
  const setSize = new Int32Array(size);
  for (let index = 0; index < size; index++) {
    if (kept?.marks[index] === 0) continue;
    const slot = (model.parents[index] as number) + 1;
    counts[slot] = (counts[slot] as number) + 1;
    position[index] = counts[slot] as number;
  }
  for (let index = 0; index < size; index++) {
    setSize[index] = counts[(model.parents[index] as number) + 1] as number;
  }
  return { setSize, position };
}

/** The rows on screen, as pre-order indices: what no collapsed ancestor and no filter hides. */
export function visibleRows(
  model: TraceModel,
  collapsed: ReadonlySet<string>,
  kept: KeptSpans | undefined,
): Int32Array {
  const size = model.nodes.length;
  const rows = new Int32Array(size);
  let count = 0;
  for (let index = 0; index < size; ) {
    const node = model.nodes[index] as TraceNode;
    if (kept?.marks[index] === 0) {
      index += node.descendantCount + 1;
      continue;
    }
    rows[count++] = index;
    index += node.descendantCount > 0 && collapsed.has(node.key) ? node.descendantCount + 1 : 1;
  }
  return rows.subarray(0, count);
}

/** Whether the row can be opened, and is: `undefined` where nothing that the filter kept stands below it. */
export function openState(
  model: TraceModel,
  index: number,
  collapsed: ReadonlySet<string>,
  kept: KeptSpans | undefined,
): boolean | undefined {
  const node = model.nodes[index] as TraceNode;
  if (node.descendantCount === 0) return undefined;
  if (kept?.marks[index] === 2 && !anyKept(kept, index + 1, index + node.descendantCount)) return undefined;
  return !collapsed.has(node.key);
}

/** Position of a pre-order index among the visible rows, by bisection; -1 when it is hidden. */
export function rowOfIndex(rows: Int32Array, index: number): number {
  const at = rowAtOrAfter(rows, index);
  return rows[at] === index ? at : -1;
}

/** The row that shows the span, or the nearest one above it that hides it: its closest visible ancestor. */
export function rowShowing(model: TraceModel, rows: Int32Array, index: number): number {
  for (let at = index; at >= 0; at = model.parents[at] as number) {
    const row = rowOfIndex(rows, at);
    if (row >= 0) return row;
  }
  return -1;
}

/** All keys that can be collapsed. */
export function collapsibleKeys(model: TraceModel): Set<string> {
  const keys = new Set<string>();
  for (const node of model.nodes) if (node.descendantCount > 0) keys.add(node.key);
  return keys;
}

/** Without the span's ancestors, so that it can be seen. The same set when it can already. */
export function revealed(
  model: TraceModel,
  collapsed: ReadonlySet<string>,
  index: number,
): ReadonlySet<string> {
  let next: Set<string> | undefined;
  for (let at = model.parents[index] as number; at >= 0; at = model.parents[at] as number) {
    const { key } = model.nodes[at] as TraceNode;
    if (!collapsed.has(key)) continue;
    next ??= new Set(collapsed);
    next.delete(key);
  }
  return next ?? collapsed;
}

function rowAtOrAfter(rows: Int32Array, index: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as number) < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

function anyKept(kept: KeptSpans, from: number, to: number): boolean {
  for (let index = from; index <= to; index++) if (kept.marks[index] !== 0) return true;
  return false;
}
