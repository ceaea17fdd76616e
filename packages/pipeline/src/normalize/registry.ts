import type { SpanRecord } from "@spanloom/model";
import { withProblem } from "../withhold.ts";
import type { Dialect } from "./dialect.ts";
import { genAiDialect } from "./dialects/gen-ai.ts";
import { genericDialect } from "./dialects/generic.ts";
import { withEmbeddingTotal } from "./embedding-total.ts";
import { CopyOnWriteDraft } from "./record-draft.ts";

/** In order of precedence: an earlier one sets a field first, a later one fills what is left. The generic one is last. */
const BUILT_IN: readonly Dialect[] = [genAiDialect, genericDialect];

/** A stage that applies every dialect that recognises the record. A dialect that throws leaves the record as it found it. */
export function createNormalizer(own: readonly Dialect[] = []): (record: SpanRecord) => SpanRecord {
  const dialects = [...own, ...BUILT_IN];
  return (record) => {
    let current = record;
    for (const dialect of dialects) current = applyDialect(dialect, current);
    return withEmbeddingTotal(current);
  };
}

function applyDialect(dialect: Dialect, record: SpanRecord): SpanRecord {
  try {
    if (!dialect.detect(record)) return record;
    const draft = new CopyOnWriteDraft(record, dialect.name);
    dialect.normalize(draft);
    return draft.record;
  } catch {
    return withProblem(record, `normalize:${dialect.name}`);
  }
}
