import { type Bears, bearsBelow, bearsOf, parentOf } from "@spanloom/model";
import type { SpanFacts } from "./facts.ts";
import type { HeldSpan, HeldTrace } from "./held.ts";

/** How many children of a span bear tokens, and how many cost, with all below them. */
export interface Support {
  tokens: number;
  cost: number;
}

/**
 * Keeps for each span what its descendants bear, so that usage counts once. What a span begins or ceases to bear climbs
 * until nothing changes. Where a loss may go round a cycle, whose members would keep each other's bits for ever, the
 * trace is worked out anew.
 */
export class LeafBits {
  /** Called before the bits of a span change. */
  private readonly touch: (span: HeldSpan) => void;
  private readonly broken = new Set<HeldTrace>();

  constructor(touch: (span: HeldSpan) => void) {
    this.touch = touch;
  }

  /** After the facts of a span changed, or it is new: one by one. The caller has touched it. */
  change(trace: HeldTrace, span: HeldSpan, previous: SpanFacts | undefined): void {
    const { facts } = span;
    const bearsBefore = span.bears;
    span.bears = bearsOf(facts);
    if (this.broken.has(trace)) return;
    const parentId = parentOf(facts);
    if (previous === undefined) {
      span.below = bitsOf(trace.support.get(facts.spanId));
      this.shift(trace, parentId, 0, span.bears | span.below);
      return;
    }
    const had = bearsBefore | span.below;
    const has = span.bears | span.below;
    const parentBefore = parentOf(previous);
    // On a cycle, what it no longer bears would seem to come back from below.
    if ((bearsBefore & ~span.bears) !== 0 && leadsToCycle(trace, span)) this.broken.add(trace);
    else if (parentBefore === parentId) this.shift(trace, parentId, had, has);
    else {
      // In either order: should one of them climb back to this span, it passes on what changed, and counts are sums.
      this.shift(trace, parentBefore, had, 0);
      this.shift(trace, parentId, 0, has);
    }
  }

  /** Spans of the trace went away. */
  breakTrace(trace: HeldTrace): void {
    this.broken.add(trace);
  }

  /** Works out again what could not be kept by differences. */
  finish(): void {
    for (const trace of this.broken) this.rebuild(trace);
    this.broken.clear();
  }

  /** Works out a whole trace from its spans. */
  rebuild(trace: HeldTrace): void {
    const below = bearsBelow(Array.from(trace.spans.values(), (span) => span.facts));
    trace.support.clear();
    for (const span of trace.spans.values()) {
      const bits: Bears = below.get(`${trace.traceId}/${span.facts.spanId}`) ?? 0;
      if (bits !== span.below) {
        this.touch(span);
        span.below = bits;
      }
      const parentId = parentOf(span.facts);
      if (parentId !== undefined) support(trace, parentId, 0, span.bears | bits);
    }
  }

  /** What a child of this span passes on changed. */
  private shift(trace: HeldTrace, parentId: string | undefined, had: number, has: number): void {
    let checked = false;
    for (let id = parentId, from = had, to = has; id !== undefined && from !== to; ) {
      support(trace, id, from, to);
      const parent = trace.spans.get(id);
      if (parent === undefined) return;
      if (!checked && (from & ~to) !== 0) {
        if (leadsToCycle(trace, parent)) {
          this.broken.add(trace);
          return;
        }
        checked = true;
      }
      const below = bitsOf(trace.support.get(id));
      if (below === parent.below) return;
      this.touch(parent);
      from = parent.bears | parent.below;
      parent.below = below;
      to = parent.bears | below;
      id = parentOf(parent.facts);
    }
  }
}

function support(trace: HeldTrace, parentId: string, from: number, to: number): void {
  if (from === to) return;
  const found = trace.support.get(parentId) ?? { tokens: 0, cost: 0 };
  found.tokens += (to & 1) - (from & 1);
  found.cost += ((to & 2) - (from & 2)) / 2;
  if (found.tokens === 0 && found.cost === 0) trace.support.delete(parentId);
  else trace.support.set(parentId, found);
}

function bitsOf(found: Support | undefined): number {
  return found === undefined ? 0 : (found.tokens > 0 ? 1 : 0) | (found.cost > 0 ? 2 : 0);
}

/** Following parents from the span never ends. */
function leadsToCycle(trace: HeldTrace, span: HeldSpan): boolean {
  const seen = new Set<HeldSpan>();
  for (let next: HeldSpan | undefined = span; next !== undefined; ) {
    if (seen.has(next)) return true;
    seen.add(next);
    const parentId = parentOf(next.facts);
    next = parentId === undefined ? undefined : trace.spans.get(parentId);
  }
  return false;
}
