import { type Attributes, SPANLOOM, type SpanRecord } from "@spanloom/model";

/** On a span whose cleaning failed somewhere: which stage and part. The failing part's values are not on the span. */
const PROBLEMS_KEY = `${SPANLOOM.prefix}pipeline.problems`;

/** What stands in the place of a value that could not be cleaned. */
export const WITHHELD = "[withheld]";

/** The record, saying that a stage failed on it. Says it once. The error's own text stays out: it may hold content. */
export function withProblem(record: SpanRecord, problem: string): SpanRecord {
  const known = record.attributes[PROBLEMS_KEY];
  const problems = Array.isArray(known) ? known : [];
  if (problems.includes(problem)) return record;
  const attributes: Attributes = { ...record.attributes, [PROBLEMS_KEY]: [...problems, problem] };
  return { ...record, attributes };
}
