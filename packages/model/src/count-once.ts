import type { NanoUsd } from "./cost.ts";
import { type SpanKind, type SpanSkeleton, spanKey } from "./span.ts";
import { hasTokens, TOKEN_FIELDS, type TokenUsage } from "./usage.ts";

/**
 * Usage counts once. Agents and frameworks repeat on a parent what their children used, so a span's tokens count only
 * where no descendant of the same trace bears tokens, and its cost only where no descendant bears cost. A fee (a cost
 * without tokens on a tool, retriever, cache or http span) always counts and hides nothing.
 */

/** What a span bears, as bits: 1 tokens, 2 cost. Descendants' bits are or-ed into `below` on the way up. */
export type Bears = 0 | 1 | 2 | 3;

/** What one span adds to every sum. Absent parts add nothing. */
export interface Contribution {
  usage?: TokenUsage;
  /** Known cost that counts. */
  nanoUsd?: NanoUsd;
  /** The span's tokens count and have no known cost. */
  unpriced: boolean;
}

const FEE_KINDS: ReadonlySet<SpanKind> = new Set(["tool", "retriever", "cache", "http"]);

type Counted = Pick<SpanSkeleton, "kind" | "usage" | "cost">;

/** A cost without tokens on a tool, retriever, cache or http span: a flat fee. */
export function isFee(span: Counted): boolean {
  return span.cost !== undefined && FEE_KINDS.has(span.kind) && !hasTokens(span.usage);
}

/** Whether the span hides the usage (1) or the cost (2) that its ancestors repeat. Zeros hide nothing. */
export function bearsOf(span: Counted): Bears {
  const { usage, cost } = span;
  const tokens = usage !== undefined && TOKEN_FIELDS.some((field) => (usage[field] ?? 0) > 0);
  const priced = cost !== undefined && !isFee(span) && (cost.nanoUsd > 0 || tokens);
  return ((tokens ? 1 : 0) | (priced ? 2 : 0)) as Bears;
}

/** What the span adds, given what its descendants bear; `undefined` when it counts for nothing. */
export function contributionOf(span: Counted, below: number): Contribution | undefined {
  const usage = hasTokens(span.usage) && (below & 1) === 0 ? span.usage : undefined;
  const nanoUsd =
    span.cost !== undefined && ((below & 2) === 0 || isFee(span)) ? span.cost.nanoUsd : undefined;
  if (usage === undefined && nanoUsd === undefined) return undefined;
  return { usage, nanoUsd, unpriced: usage !== undefined && span.cost === undefined };
}

/** A parent id that can be followed: none for roots, and none for a span that claims to be its own parent. */
export function parentOf(span: Pick<SpanSkeleton, "spanId" | "parentSpanId">): string | undefined {
  return span.parentSpanId === span.spanId ? undefined : span.parentSpanId;
}

/**
 * For every span the bits that its descendants bear, by {@link spanKey}. Descent runs inside a trace, also across
 * executions; a span on a cycle is its own descendant. Each key must stand for one span.
 */
export function bearsBelow(
  spans: Iterable<Pick<SpanSkeleton, "traceId" | "spanId" | "parentSpanId"> & Counted>,
): Map<string, Bears> {
  const parents = new Map<string, string | undefined>();
  const below = new Map<string, Bears>();
  const bearers: [parentKey: string, bits: Bears][] = [];
  for (const span of spans) {
    const parent = parentOf(span);
    const parentKey = parent === undefined ? undefined : `${span.traceId}/${parent}`;
    parents.set(spanKey(span), parentKey);
    const bits = bearsOf(span);
    if (bits !== 0 && parentKey !== undefined) bearers.push([parentKey, bits]);
  }
  for (const [start, bits] of bearers) {
    // Each bit of a span is set at most once, so all climbs together take linear time.
    for (let key: string | undefined = start; key !== undefined && parents.has(key); key = parents.get(key)) {
      const had: Bears = below.get(key) ?? 0;
      if ((bits & ~had) === 0) break;
      below.set(key, (had | bits) as Bears);
    }
  }
  return below;
}
