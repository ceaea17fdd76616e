import type { TraceModel } from "./trace-model.ts";
import type { KeptSpans } from "./visible-rows.ts";

/**
 * Pre-order indices of the spans whose name holds the text, without regard to case. Empty text finds nothing.
 * Spans that a filter hides are not found; spans in a collapsed subtree are.
 */
export function searchSpans(model: TraceModel, text: string, kept?: KeptSpans): Int32Array {
  const needle = fold(text.trim());
  if (needle === "") return new Int32Array();
  const found: number[] = [];
  // Long traces repeat few names.
  const known = new Map<string, boolean>();
  model.nodes.forEach(({ span: { name } }, index) => {
    if (kept !== undefined && kept.marks[index] !== 2) return;
    let matches = known.get(name);
    if (matches === undefined) {
      matches = fold(name).includes(needle);
      known.set(name, matches);
    }
    if (matches) found.push(index);
  });
  return Int32Array.from(found);
}

/** Position in `matches` of the next match after `from` in the given direction, around the end; -1 when there is none. */
export function nextMatch(matches: Int32Array, from: number, direction: 1 | -1): number {
  if (matches.length === 0) return -1;
  if (direction === 1) {
    return Math.max(
      matches.findIndex((index) => index > from),
      0,
    );
  }
  const at = matches.findLastIndex((index) => index < from);
  return at < 0 ? matches.length - 1 : at;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
