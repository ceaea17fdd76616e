import { compareNaming, isUnnamed } from "@spanloom/metrics";
import type { SpanFacts } from "./facts.ts";
import type { FeedEntry } from "./feed.ts";
import type { Support } from "./leaf-bits.ts";

/** One span as the ledger holds it. */
export interface HeldSpan {
  /** Of its winning record, as written. */
  facts: SpanFacts;
  /** The facts with the execution where the span belongs. */
  view: SpanFacts;
  entry: FeedEntry;
  /** What it hides from its ancestors' sums: see `bearsOf`. */
  bears: number;
  /** What its descendants bear. */
  below: number;
  /** What it was before the change under way; absent where nothing changed. */
  before: SpanBefore | undefined;
}

/** `view` is absent where the span is new. */
export interface SpanBefore {
  view: SpanFacts | undefined;
  below: number;
}

export class HeldTrace {
  readonly traceId: string;
  /** By span id. */
  readonly spans: Map<string, HeldSpan> = new Map();
  /** How many of its spans each execution has. */
  readonly executions: Map<string, number> = new Map();
  /** By the id of a span, there or not: what its children bear. */
  readonly support: Map<string, Support> = new Map();
  /** The span that names the execution of unnamed ones. */
  naming: HeldSpan | undefined;
  /** Where unnamed spans belong: as `naming` says, unless a change is under way. */
  owner: string;
  unnamed = 0;
  refusesUnnamed = false;

  constructor(traceId: string) {
    this.traceId = traceId;
    this.owner = traceId;
  }

  /** Looks through all spans for the one that names the others. */
  findNaming(): void {
    let least: HeldSpan | undefined;
    for (const span of this.spans.values()) {
      if (isUnnamed(span.facts)) continue;
      if (least === undefined || compareNaming(span.facts, least.facts) < 0) least = span;
    }
    this.naming = least;
  }
}

/** Where the span belongs: an unnamed one where its trace says. */
export function placeOf(trace: HeldTrace, { facts }: HeldSpan): string {
  return isUnnamed(facts) ? trace.owner : facts.executionId;
}
