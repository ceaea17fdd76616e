import type { Cost, SpanKind } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import { moveMessagesOrContent, moveText, readNanoUsd } from "../fields.ts";
import { readObject, readText, readTime } from "../values.ts";
import { readUsageDetails } from "./langfuse-usage.ts";

const TYPE = "langfuse.observation.type";
const USAGE = "langfuse.observation.usage_details";
const COST = "langfuse.observation.cost_details";
const COMPLETION_START = "langfuse.observation.completion_start_time";

/** Types that say no more than our kinds: their key is consumed. `span`, `event`, `evaluator` and `guardrail` have none. */
const WHOLE: ReadonlyMap<string, SpanKind> = new Map([
  ["generation", "llm"],
  ["agent", "agent"],
  ["tool", "tool"],
  ["retriever", "retriever"],
  ["embedding", "embedding"],
]);

/** Langfuse. Source: `@langfuse/core`, `LangfuseOtelSpanAttributes`; `@langfuse/tracing`, `createObservationAttributes`. */
export const langfuseDialect: Dialect = {
  name: "langfuse",
  prefixes: ["langfuse."],
  normalize: (draft) => {
    readKind(draft);
    moveText(draft, "model", "langfuse.observation.model.name");
    moveText(draft, "threadId", "session.id", "langfuse.session.id");
    moveText(draft, "workflowName", "langfuse.trace.name");
    readUsage(draft);
    readCost(draft);
    const start = readTime(draft.attribute(COMPLETION_START));
    if (start !== undefined) draft.move("firstTokenTime", start, COMPLETION_START);
    moveMessagesOrContent(draft, "input", "langfuse.observation.input");
    moveMessagesOrContent(draft, "input", "langfuse.trace.input");
    moveMessagesOrContent(draft, "output", "langfuse.observation.output");
    moveMessagesOrContent(draft, "output", "langfuse.trace.output");
  },
};

/** A chain is a step of the workflow, or the workflow itself where nothing is above it. */
function readKind(draft: RecordDraft): void {
  const type = readText(draft.attribute(TYPE));
  const whole = WHOLE.get(type ?? "");
  if (whole !== undefined) draft.move("kind", whole, TYPE);
  else if (type === "chain")
    draft.derive("kind", draft.record.parentSpanId === undefined ? "workflow" : "node", TYPE);
}

function readUsage(draft: RecordDraft): void {
  const details = readObject(draft.attribute(USAGE));
  const read = details && readUsageDetails(details);
  if (read === undefined) return;
  if (read.whole) draft.moveUsage(read.usage, USAGE);
  else draft.deriveUsage(read.usage, USAGE);
}

/** `{input, output, total}` in US dollars; without a total, what it holds adds up to it. */
function readCost(draft: RecordDraft): void {
  const details = readObject(draft.attribute(COST));
  if (details === undefined) return;
  const { total, ...rest } = details;
  const split = Object.values(rest).map(readNanoUsd);
  if (split.some((part) => part === undefined)) return;
  const nanoUsd =
    total === undefined ? split.reduce<number>((sum, part) => sum + (part ?? 0), 0) : readNanoUsd(total);
  if (nanoUsd === undefined || Object.keys(details).length === 0) return;
  const input = readNanoUsd(details.input);
  const output = readNanoUsd(details.output);
  const parts = { ...(input !== undefined && { input }), ...(output !== undefined && { output }) };
  const cost: Cost = { nanoUsd, source: "reported", ...(Object.keys(parts).length > 0 && { parts }) };
  const whole = Object.keys(rest).every((name) => name === "input" || name === "output");
  if (whole) draft.move("cost", cost, COST);
  else draft.derive("cost", cost, COST);
}
