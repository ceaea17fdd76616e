import {
  canonicalJson,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  spanKey,
  type WriteReceipt,
} from "@spanloom/model";
import { type RedactableStore, redactStored } from "./redact-stored.ts";

/** Redacted states of spans of one execution. */
export interface RedactedSpans {
  executionId: string;
  spans: {
    /** Canonical JSON of the state that was redacted: another one must not be replaced. */
    before: string;
    after: SpanRecord;
  }[];
}

/**
 * A redaction by somebody who stands before a store, as the other end of a port does. The rule runs here on what is read
 * here, and `replace` puts what it made in place of what is stored, by the store's own `redact`, so that the old bytes
 * vanish there.
 */
export async function redactThrough(
  store: Omit<RedactableStore, "write">,
  replace: (redacted: RedactedSpans) => Promise<WriteReceipt>,
  rule: RedactRule,
  selection: RedactSelection | undefined,
): Promise<RedactReport> {
  return redactStored(
    {
      listExecutions: (query) => store.listExecutions(query),
      getExecutions: (ids) => store.getExecutions(ids),
      getTrace: store.getTrace.bind(store),
      getSpan: (executionId, spanId, traceId) => store.getSpan(executionId, spanId, traceId),
      write: (spans, before) =>
        replace({
          executionId: spans[0]?.executionId ?? "",
          spans: spans.map((after, index) => ({ before: before[index] ?? "", after })),
        }),
      // The store reads the whole execution for every batch.
      mostSpans: 20_000,
    },
    rule,
    selection,
  );
}

/** What stands behind {@link redactThrough}. A span in another state than was redacted counts as unchanged. */
export async function replaceRedacted(
  store: Pick<ScopedStore, "redact">,
  redacted: RedactedSpans,
): Promise<WriteReceipt> {
  const { executionId, spans } = checkRedacted(redacted);
  const states = new Map(spans.map((span) => [spanKey(span.after), span]));
  const report = await store.redact(
    (record) => {
      const state = states.get(spanKey(record));
      if (state === undefined || canonicalJson(record) !== state.before) return record;
      return { ...state.after, revision: record.revision };
    },
    { executionIds: [executionId] },
  );
  return { written: report.spans, unchanged: spans.length - report.spans, rejected: [] };
}

function checkRedacted(value: unknown): RedactedSpans {
  const { executionId, spans } = (value ?? {}) as Partial<RedactedSpans>;
  const whole =
    typeof executionId === "string" &&
    Array.isArray(spans) &&
    spans.every(
      (span) => typeof span?.before === "string" && typeof span.after === "object" && span.after !== null,
    );
  if (whole) return { executionId, spans };
  throw new SpanloomError("invalid_argument", {
    what: "The redacted spans cannot be read.",
    fix: "Check that both sides have the same version of Spanloom.",
  });
}
