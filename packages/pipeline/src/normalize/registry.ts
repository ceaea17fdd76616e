import type { SpanRecord } from "@spanloom/model";
import { withProblem } from "../withhold.ts";
import type { Dialect } from "./dialect.ts";
import { aiSdkDialect } from "./dialects/ai-sdk.ts";
import { genAiDialect } from "./dialects/gen-ai.ts";
import { genericDialect } from "./dialects/generic.ts";
import { langfuseDialect } from "./dialects/langfuse.ts";
import { mastraDialect } from "./dialects/mastra.ts";
import { openInferenceDialect } from "./dialects/openinference.ts";
import { traceloopDialect } from "./dialects/traceloop.ts";
import { withEmbeddingTotal } from "./embedding-total.ts";
import { createRecognizer, MAX_RECOGNIZED } from "./recognize.ts";
import { CopyOnWriteDraft } from "./record-draft.ts";

/**
 * In order of precedence: an earlier one sets a field first, a later one fills what is left. Those that write beside
 * `gen_ai.*` come before it, because they know what their own spellings of it mean; the kind they leave to
 * `gen_ai.operation.name`. The generic one is last.
 */
const BUILT_IN: readonly Dialect[] = [
  langfuseDialect,
  openInferenceDialect,
  aiSdkDialect,
  traceloopDialect,
  mastraDialect,
  genAiDialect,
  genericDialect,
];

/** A stage that applies every dialect that recognises the record. A dialect that throws leaves the record as it found it. */
export function createNormalizer(own: readonly Dialect[] = []): (record: SpanRecord) => SpanRecord {
  const dialects = [...own, ...BUILT_IN];
  const groups: { dialects: readonly Dialect[]; recognize: (record: SpanRecord) => number }[] = [];
  for (let at = 0; at < dialects.length; at += MAX_RECOGNIZED) {
    const group = dialects.slice(at, at + MAX_RECOGNIZED);
    groups.push({ dialects: group, recognize: createRecognizer(group) });
  }
  return (record) => {
    let current = record;
    for (const group of groups) {
      const recognized = group.recognize(current);
      for (let index = 0; index < group.dialects.length; index++) {
        const dialect = group.dialects[index] as Dialect;
        const known = (recognized & (1 << index)) !== 0;
        if (known || dialect.detect !== undefined) current = applyDialect(dialect, current, known);
      }
    }
    return withEmbeddingTotal(current);
  };
}

function applyDialect(dialect: Dialect, record: SpanRecord, known: boolean): SpanRecord {
  try {
    if (!known && dialect.detect?.(record) !== true) return record;
    const draft = new CopyOnWriteDraft(record, dialect.name);
    dialect.normalize(draft);
    return draft.finish();
  } catch {
    return withProblem(record, `normalize:${dialect.name}`);
  }
}
