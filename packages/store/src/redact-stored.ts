import {
  canonicalJson,
  compareNanos,
  type ExecutionSummary,
  isUnixNanos,
  phaseOf,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  recordProblem,
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  type UnixNanos,
  type WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds } from "./check-arguments.ts";
import { MAX_PAGE_LENGTH } from "./page-room.ts";

/** What of a store {@link redactStored} works with. */
export interface RedactableStore
  extends Pick<ScopedStore, "listExecutions" | "getExecutions" | "getTrace" | "getSpan"> {
  /** Stores the new states. `before` has the canonical JSON of what each was made of. */
  write(spans: readonly SpanRecord[], before: readonly string[]): Promise<WriteReceipt>;
  /** How many are written at once: 500 where absent. */
  mostSpans?: number;
}

const MOST_SPANS = 500;

/** How often one span is read again because a newer state came in between. */
const MOST_ROUNDS = 10;

/**
 * Applies a rule to what a store holds: the work behind `redact` of every adapter. Records are read in full pages, the
 * rule runs on this thread, and what it changes is written back in bounded batches, `revision` one higher. The adapter
 * then makes the old bytes vanish.
 *
 * Rejects with `invalid_argument` when the rule throws or changes what it may not, and when the selection cannot be
 * used; a span whose changed state the store refuses is named in a `store_failed` at the end, when the rest is done.
 */
export async function redactStored(
  store: RedactableStore,
  rule: RedactRule,
  selection: RedactSelection = {},
): Promise<RedactReport> {
  if (typeof rule !== "function") throw unusable("rule", "It must be a function from a record to a record.");
  const chosen = checkSelection(selection);
  const report: RedactReport = { executions: 0, spans: 0 };
  const refused: string[] = [];
  for await (const { executionId } of executionsOf(store, chosen)) {
    const changed = await redactExecution(store, rule, executionId, refused);
    if (changed === undefined) continue;
    report.executions++;
    report.spans += changed;
  }
  if (refused.length > 0) throw notStored(refused);
  return report;
}

/** How many spans changed; `undefined` where the execution is gone. */
async function redactExecution(
  store: RedactableStore,
  rule: RedactRule,
  executionId: string,
  refused: string[],
): Promise<number | undefined> {
  const { mostSpans = MOST_SPANS } = store;
  let changed: number | undefined;
  let batch: Redacted[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0)
      changed = (changed ?? 0) + (await writeBack(store, rule, executionId, batch, refused));
    batch = [];
    length = 0;
  };
  let cursor: string | undefined;
  do {
    const page = await store.getTrace(executionId, { view: "full", ...(cursor !== undefined && { cursor }) });
    if (page === undefined) break;
    changed ??= 0;
    for (const span of page.spans) {
      let redacted: Redacted | undefined;
      try {
        redacted = redactSpan(rule, span);
      } catch (error) {
        // Spans before this one are done, as is promised.
        await flush();
        throw error;
      }
      if (redacted === undefined) continue;
      batch.push(redacted);
      length += redacted.before.length;
      if (batch.length >= mostSpans || length >= MAX_PAGE_LENGTH) await flush();
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  await flush();
  return changed;
}

/** Writes new states, and those of spans that changed in between again. Gives how many were written. */
async function writeBack(
  store: RedactableStore,
  rule: RedactRule,
  executionId: string,
  batch: readonly Redacted[],
  refused: string[],
): Promise<number> {
  let written = 0;
  let redacted = batch;
  for (let round = 0; redacted.length > 0; round++) {
    const spans = redacted.map(({ after }) => after);
    const receipt = await store.write(
      spans,
      redacted.map(({ before }) => before),
    );
    for (const { index, message } of receipt.rejected) {
      // What was deleted or pruned meanwhile needs no redaction.
      if (await isThere(store, spans[index])) refused.push(`${nameOf(spans[index])}: ${message}`);
    }
    written += receipt.written;
    if (receipt.unchanged === 0) break;
    // A newer state came between reading and writing and won: what stands in it must go, too.
    if (round === MOST_ROUNDS) {
      refused.push(`${nameOf(spans[0])}: it, or another after it, changes faster than it can be redacted`);
      break;
    }
    const newer = await readAgain(store, executionId, spans, receipt);
    redacted = newer.flatMap((span) => redactSpan(rule, span) ?? []);
  }
  return written;
}

async function isThere(store: RedactableStore, span: SpanRecord | undefined): Promise<boolean> {
  if (span === undefined) return true;
  return (await store.getSpan(span.executionId, span.spanId, span.traceId)) !== undefined;
}

/** Those of the spans that hold another state than was written. */
async function readAgain(
  store: RedactableStore,
  executionId: string,
  spans: readonly SpanRecord[],
  { rejected }: WriteReceipt,
): Promise<SpanRecord[]> {
  const left = new Set(rejected.map(({ index }) => index));
  const found: SpanRecord[] = [];
  for (const [index, written] of spans.entries()) {
    if (left.has(index)) continue;
    const span = await store.getSpan(executionId, written.spanId, written.traceId);
    if (span !== undefined && canonicalJson(span) !== canonicalJson(written)) found.push(span);
  }
  return found;
}

/** The new state; `undefined` where the rule leaves the record as it is. */
function redactSpan(rule: RedactRule, record: SpanRecord): Redacted | undefined {
  // The rule may change the record in place: what it was is kept as text.
  const { traceId, spanId, executionId, revision } = record;
  const phase = phaseOf(record);
  const before = JSON.stringify(record);
  let result: SpanRecord;
  try {
    result = rule(record);
  } catch (error) {
    throw new SpanloomError("invalid_argument", {
      what: `The redaction rule threw on ${nameOf({ traceId, spanId })}.`,
      why: "A rule must give a record for every record.",
      fix: "Mend the rule and redact again: spans before this one are done.",
      cause: error,
    });
  }
  const problem = recordProblem(result);
  if (problem !== undefined)
    throw forbidden({ traceId, spanId }, `It gave no record that can be stored: ${problem}.`);
  for (const [name, was] of Object.entries({ traceId, spanId, executionId, revision })) {
    if (result[name as "traceId"] !== was) throw forbidden({ traceId, spanId }, `It changed ${name}.`);
  }
  if (phaseOf(result) < phase) throw forbidden({ traceId, spanId }, "It made an ended span run again.");
  if (JSON.stringify(result) === before) return undefined;
  const canonical = canonicalJson(JSON.parse(before));
  if (canonicalJson(result) === canonical) return undefined;
  return { after: { ...result, revision: revision + 1 }, before: canonical };
}

interface Redacted {
  after: SpanRecord;
  /** Canonical JSON of the state that it was made of. */
  before: string;
}

async function* executionsOf(
  store: RedactableStore,
  { executionIds, from, to }: RedactSelection,
): AsyncGenerator<ExecutionSummary, void, undefined> {
  if (executionIds !== undefined) {
    for (const execution of await store.getExecutions(executionIds)) {
      const { startTime } = execution;
      const early = from !== undefined && compareNanos(startTime, from) < 0;
      if (!early && (to === undefined || compareNanos(startTime, to) < 0)) yield execution;
    }
    return;
  }
  let cursor: string | undefined;
  do {
    const page = await store.listExecutions({
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(cursor !== undefined && { cursor }),
      limit: 500,
    });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

function checkSelection(selection: RedactSelection): RedactSelection {
  const { executionIds, from, to } = selection;
  return {
    ...(executionIds !== undefined && { executionIds: [...new Set(checkExecutionIds(executionIds))] }),
    ...(from !== undefined && { from: checkTime(from, "from") }),
    ...(to !== undefined && { to: checkTime(to, "to") }),
  };
}

function checkTime(value: unknown, name: string): UnixNanos {
  if (isUnixNanos(value)) return value;
  throw unusable(name, "It must be Unix nanoseconds as a decimal string.");
}

function nameOf(span: Pick<SpanRecord, "traceId" | "spanId"> | undefined): string {
  return span === undefined ? "a span" : `span ${span.traceId}/${span.spanId}`;
}

function unusable(name: string, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The argument ${name} of redact cannot be used.`,
    why,
    fix: "Correct it or leave it out.",
  });
}

function forbidden(span: Pick<SpanRecord, "traceId" | "spanId">, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The redaction rule cannot be applied to ${nameOf(span)}.`,
    why,
    fix: "Mend the rule and redact again: spans before this one are done.",
  });
}

const MOST_NAMED = 5;

function notStored(refused: readonly string[]): SpanloomError {
  const more = refused.length > MOST_NAMED ? `; and ${refused.length - MOST_NAMED} more` : "";
  return new SpanloomError("store_failed", {
    what: `${refused.length} spans could not be redacted; all others are.`,
    why: `${refused.slice(0, MOST_NAMED).join("; ")}${more}.`,
    fix: "Delete their executions where the content must go.",
  });
}
