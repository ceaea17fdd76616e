import { isUnnamed } from "@spanloom/metrics";
import { bearsOf, spanKey } from "@spanloom/model";
import { statsOf } from "./answers.ts";
import type { Missing, StoredPart, StoredSpan } from "./changes.ts";
import type { FeedEntry } from "./feed.ts";
import { type HeldSpan, HeldTrace } from "./held.ts";
import { HeldExecution } from "./held-execution.ts";
import { LeafBits } from "./leaf-bits.ts";

interface Held {
  traces: Map<string, HeldTrace>;
  executions: Map<string, HeldExecution>;
}

/** Builds up what a backing kept: every sum is folded from facts. */
export function holdPart(held: Held, covered: Missing, part: StoredPart): void {
  const traces = new Map(covered.traceIds.map((id) => [id, new HeldTrace(id)]));
  const executions = new Map(covered.executionIds.map((id) => [id, new HeldExecution(id)]));
  for (const { traceId, refusesUnnamed } of part.traces) {
    const trace = traces.get(traceId);
    if (trace !== undefined) trace.refusesUnnamed = refusesUnnamed;
  }
  for (const { executionId, seq, deleted } of part.executions) {
    const execution = executions.get(executionId);
    if (execution !== undefined) Object.assign(execution, { seq, deleted });
  }
  const spans = part.spans.map((stored) => {
    const trace = traces.get(stored.facts.traceId);
    const execution = executions.get(stored.executionId);
    if (trace === undefined || execution === undefined) throw new Error("A component was loaded in part.");
    return { span: holdSpan(trace, stored), execution };
  });
  const bits = new LeafBits(() => undefined);
  for (const trace of traces.values()) {
    trace.findNaming();
    trace.owner = trace.naming?.facts.executionId ?? trace.traceId;
    bits.rebuild(trace);
  }
  for (const { span, execution } of spans) {
    execution.change(span, undefined, span.view);
    execution.count(span.view, span.below, 1);
  }
  fillFeeds(
    executions,
    part,
    spans.map(({ span, execution }) => ({ entry: span.entry, execution })),
  );
  for (const execution of executions.values()) {
    execution.mend();
    execution.added.clear();
    const stats = statsOf(execution);
    execution.settled = { seq: execution.seq, workflowId: stats?.workflowId ?? "", stats };
    held.executions.set(execution.executionId, execution);
  }
  for (const trace of traces.values()) held.traces.set(trace.traceId, trace);
}

function holdSpan(trace: HeldTrace, { facts, executionId, insSeq, seq }: StoredSpan): HeldSpan {
  const { traceId, spanId } = facts;
  const span: HeldSpan = {
    facts,
    view: facts.executionId === executionId ? facts : { ...facts, executionId },
    entry: { traceId, spanId, span: undefined, insSeq, seq },
    bears: bearsOf(facts),
    below: 0,
    before: undefined,
  };
  span.entry.span = span;
  trace.spans.set(spanId, span);
  trace.executions.set(executionId, (trace.executions.get(executionId) ?? 0) + 1);
  if (isUnnamed(facts)) trace.unnamed++;
  return span;
}

/** Puts spans and tombstones into the feeds of their executions, in the order of their `seq`. */
function fillFeeds(executions: Map<string, HeldExecution>, part: StoredPart, placed: Placed[]): void {
  for (const { executionId, gone } of part.executions) {
    const execution = executions.get(executionId);
    if (execution === undefined) continue;
    for (const { traceId, spanId, seq } of gone) {
      const entry: FeedEntry = { traceId, spanId, span: undefined, insSeq: 0, seq };
      execution.gone.set(spanKey(entry), entry);
      placed.push({ entry, execution });
    }
  }
  placed.sort((a, b) => a.entry.seq - b.entry.seq);
  for (const { entry, execution } of placed) execution.feed.append(entry, true);
}

interface Placed {
  entry: FeedEntry;
  execution: HeldExecution;
}
