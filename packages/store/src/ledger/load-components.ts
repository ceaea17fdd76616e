import { spanKey } from "@spanloom/model";
import type { Missing, StoredExecution, StoredPart, StoredSpan, StoredTrace } from "./changes.ts";
import type { Ledger } from "./ledger.ts";

/**
 * What a backing has of traces and executions: every span of these traces, and every span that belongs to these
 * executions, each once or twice; the rows of the executions with their tombstones; the rows of the traces. Nothing for
 * ids that it does not know.
 */
export type LoadPart = (ids: Missing) => Promise<StoredPart>;

/**
 * Loads what is missing, with all that is connected with it: executions share traces, and what one of them writes may
 * change what counts in another. Asks the backing as often as there are rings around what is missing, mostly twice.
 */
export async function loadComponents(ledger: Ledger, ids: Missing, load: LoadPart): Promise<void> {
  let ask = ledger.missingIds(ids);
  const traceIds = new Set<string>();
  const executionIds = new Set<string>();
  const spans = new Map<string, StoredSpan>();
  const executions = new Map<string, StoredExecution>();
  const traces = new Map<string, StoredTrace>();
  while (ask.traceIds.length > 0 || ask.executionIds.length > 0) {
    for (const id of ask.traceIds) traceIds.add(id);
    for (const id of ask.executionIds) executionIds.add(id);
    const part = await load(ask);
    for (const span of part.spans) spans.set(spanKey(span.facts), span);
    for (const execution of part.executions) executions.set(execution.executionId, execution);
    for (const trace of part.traces) traces.set(trace.traceId, trace);
    const next = { traceIds: new Set<string>(), executionIds: new Set<string>() };
    // A trace's unnamed spans belong, or may come back, to the execution that has its id.
    for (const id of ask.traceIds) if (!executionIds.has(id)) next.executionIds.add(id);
    for (const { facts, executionId } of part.spans) {
      if (!traceIds.has(facts.traceId)) next.traceIds.add(facts.traceId);
      if (!executionIds.has(executionId)) next.executionIds.add(executionId);
    }
    ask = { traceIds: [...next.traceIds], executionIds: [...next.executionIds] };
  }
  if (traceIds.size === 0 && executionIds.size === 0) return;
  ledger.load(
    { traceIds: [...traceIds], executionIds: [...executionIds] },
    { spans: [...spans.values()], executions: [...executions.values()], traces: [...traces.values()] },
  );
}
