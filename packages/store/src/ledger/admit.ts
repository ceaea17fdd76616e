import { type RejectedSpan, recordProblem, type SpanRecord } from "@spanloom/model";
import { isPlainRecord } from "../sql/plain-record.ts";

/** What of a write may be stored. */
export interface Admitted {
  records: AdmittedRecord[];
  rejected: RejectedSpan[];
}

export interface AdmittedRecord {
  /** Its place in the write. */
  index: number;
  /** A copy that shares nothing with what was given. */
  record: SpanRecord;
  /** Its JSON. */
  json: string;
}

/**
 * Takes copies of what is given, made of JSON alone, and says of the rest why it can never be stored. At once, before a
 * write waits for anything: whoever gave the records may go on to change them.
 *
 * @param problemOf What else a backing cannot keep.
 */
export function admit(
  given: readonly unknown[],
  problemOf: (record: SpanRecord) => string | undefined = () => undefined,
): Admitted {
  const admitted: Admitted = { records: [], rejected: [] };
  given.forEach((one, index) => {
    const copy = copyOf(one);
    const message = typeof copy === "string" ? copy : problemOf(copy.record);
    if (message !== undefined) admitted.rejected.push({ index, code: "invalid_record", message });
    else if (typeof copy !== "string") admitted.records.push({ index, ...copy });
  });
  return admitted;
}

function copyOf(given: unknown): Omit<AdmittedRecord, "index"> | string {
  try {
    const problem = problemIn(given);
    if (problem !== undefined) return problem;
    const json = JSON.stringify(given);
    const record: unknown = JSON.parse(json);
    // What was checked and what was copied may differ, by a getter, a proxy or a toJSON of the caller's.
    return problemIn(record) ?? { record: record as SpanRecord, json };
  } catch {
    return "record: cannot be read as JSON";
  }
}

function problemIn(value: unknown): string | undefined {
  return isPlainRecord(value) ? undefined : recordProblem(value);
}
