import { EXECUTION_STATUSES, SPAN_KINDS, SPANLOOM } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import { isId } from "../fields.ts";

const HTTP_KEYS = ["http.request.method", "http.method", "http.url"] as const;

const ID_FIELDS = [
  ["executionId", SPANLOOM.executionId],
  ["workflowId", SPANLOOM.workflowId],
  ["nodeId", SPANLOOM.nodeId],
  ["threadId", SPANLOOM.threadId],
] as const;
const TEXT_FIELDS = [
  ["workflowName", SPANLOOM.workflowName],
  ["nodeType", SPANLOOM.nodeType],
] as const;

/** Last of all: our own `spanloom.*` keys on spans of any instrumentation, and kinds that show without a dialect. */
export const genericDialect: Dialect = {
  name: "generic",
  prefixes: [SPANLOOM.prefix, "http."],
  detect: (record) => record.kind === "internal" && record.model !== undefined,
  normalize: (draft) => {
    readOwnKeys(draft);
    readKind(draft);
  },
};

function readOwnKeys(draft: RecordDraft): void {
  for (const [field, key] of ID_FIELDS) {
    const value = draft.attribute(key);
    if (isId(value)) draft.move(field, value, key);
  }
  for (const [field, key] of TEXT_FIELDS) {
    const value = draft.attribute(key);
    if (typeof value === "string") draft.move(field, value, key);
  }
  const kind = SPAN_KINDS.find((known) => known === draft.attribute(SPANLOOM.kind));
  if (kind !== undefined) draft.move("kind", kind, SPANLOOM.kind);
  const status = EXECUTION_STATUSES.find((known) => known === draft.attribute(SPANLOOM.executionStatus));
  if (status !== undefined) draft.move("executionStatus", status, SPANLOOM.executionStatus);
  const attempt = draft.attribute(SPANLOOM.attempt);
  if (typeof attempt === "number" && Number.isSafeInteger(attempt) && attempt >= 1) {
    draft.move("attempt", attempt, SPANLOOM.attempt);
  }
}

/** The kind of a span that nobody named: it called a model, or it made or served an HTTP request. */
function readKind(draft: RecordDraft): void {
  if (draft.record.kind !== "internal") return;
  if (draft.record.model !== undefined) {
    draft.derive("kind", "llm", draft.record.provenance?.model?.key ?? "model");
    return;
  }
  const http = HTTP_KEYS.find((key) => draft.attribute(key) !== undefined);
  if (http !== undefined) draft.derive("kind", "http", http);
}
