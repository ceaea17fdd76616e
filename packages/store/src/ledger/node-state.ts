import { compareAttempts, compareStarts, type NodeTotals, toNodeTotals } from "@spanloom/metrics";
import { compareNanos, type UnixNanos } from "@spanloom/model";
import { addSums, costSumOf, emptySums, type Sums, usageSumOf } from "../sql/sums.ts";
import type { SpanFacts } from "./facts.ts";
import type { HeldSpan } from "./held.ts";

/**
 * What the spans of one node add up to, kept by differences. The spans that stand out (first, latest, ...) are looked for
 * again only when one of them is no longer what it was.
 */
export class NodeState {
  readonly nodeId: string;
  readonly sums: Sums = emptySums();
  spanCount = 0;
  /** One of the spans below may be the wrong one: all spans must be looked at. */
  lost = false;
  private openNodes = 0;
  private open = 0;
  private errorCount = 0;
  private first: HeldSpan | undefined;
  private typed: HeldSpan | undefined;
  private latestAttempt: HeldSpan | undefined;
  private latestNode: HeldSpan | undefined;
  private endTime: UnixNanos | undefined;
  private known: NodeTotals | undefined;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
  }

  /** A span of the node goes (no `now`) or changes. Of all that change together, before the first is taken as it is now. */
  expect(span: HeldSpan, before: SpanFacts, now: SpanFacts | undefined): void {
    this.lost ||= this.loses(span, before, now);
  }

  /** One of its spans came (no `before`), went (no `now`) or changed. */
  change(span: HeldSpan, before: SpanFacts | undefined, now: SpanFacts | undefined): void {
    this.known = undefined;
    if (before !== undefined) this.tally(before, -1);
    if (now === undefined) return;
    this.tally(now, 1);
    if (!this.lost) this.look(span);
  }

  addSums(sums: Sums, sign: 1 | -1): void {
    this.known = undefined;
    addSums(this.sums, sums, sign);
  }

  /** Before {@link found} is given every span of the node. */
  search(): void {
    this.lost = false;
    this.first = undefined;
    this.typed = undefined;
    this.latestAttempt = undefined;
    this.latestNode = undefined;
    this.endTime = undefined;
  }

  /** Takes the span where it stands out. */
  look(span: HeldSpan): void {
    const { view } = span;
    const { endTime, nodeType, kind } = view;
    if (endTime !== undefined && (this.endTime === undefined || compareNanos(endTime, this.endTime) > 0)) {
      this.endTime = endTime;
    }
    if (this.first === undefined || compareStarts(view, this.first.view) < 0) this.first = span;
    if (nodeType !== undefined && (!this.typed || compareStarts(view, this.typed.view) < 0))
      this.typed = span;
    if (!this.latestAttempt || compareAttempts(view, this.latestAttempt.view) > 0) this.latestAttempt = span;
    if (kind === "node" && (!this.latestNode || compareStarts(view, this.latestNode.view) > 0)) {
      this.latestNode = span;
    }
  }

  /** Its summary, not to be changed by who gets it. */
  totals(): NodeTotals {
    const { nodeId, first, typed, latestAttempt, latestNode, endTime, openNodes, open } = this;
    if (this.known !== undefined) return this.known;
    if (first === undefined || latestAttempt === undefined) throw new Error("A node without spans.");
    this.known = toNodeTotals({
      nodeId,
      first: first.view,
      ...(typed !== undefined && { typed: typed.view }),
      latestAttempt: latestAttempt.view,
      ...(latestNode !== undefined && { latestNode: latestNode.view }),
      openNodes,
      open,
      spanCount: this.spanCount,
      errorCount: this.errorCount,
      ...(endTime !== undefined && { endTime }),
      sums: { usage: usageSumOf(this.sums), cost: costSumOf(this.sums) },
    });
    return this.known;
  }

  private tally({ kind, endTime, status }: SpanFacts, sign: 1 | -1): void {
    this.spanCount += sign;
    if (status.code === "error") this.errorCount += sign;
    if (endTime !== undefined) return;
    this.open += sign;
    if (kind === "node") this.openNodes += sign;
  }

  private loses(span: HeldSpan, before: SpanFacts, now: SpanFacts | undefined): boolean {
    if (before.endTime !== undefined && before.endTime === this.endTime) {
      if (now?.endTime === undefined || compareNanos(now.endTime, before.endTime) < 0) return true;
    }
    if (now === undefined) {
      return [this.first, this.typed, this.latestAttempt, this.latestNode].includes(span);
    }
    const startsLater = compareStarts(now, before) > 0;
    return (
      (span === this.first && startsLater) ||
      (span === this.typed && (startsLater || now.nodeType === undefined)) ||
      (span === this.latestAttempt && compareAttempts(now, before) < 0) ||
      (span === this.latestNode && (now.kind !== "node" || compareStarts(now, before) < 0))
    );
  }
}
