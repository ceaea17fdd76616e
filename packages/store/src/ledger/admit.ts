import { isPlainObject, type RejectedSpan, recordProblem, type SpanRecord } from "@spanloom/model";
import { isPlainRecord } from "../sql/plain-record.ts";

/** What of a write may be stored. */
export interface Admitted {
  records: AdmittedRecord[];
  rejected: RejectedSpan[];
}

/** A copy that shares nothing with what was given, made of JSON alone. */
export class AdmittedRecord {
  /** Its place in the write. */
  readonly index: number;
  readonly record: SpanRecord;
  private text: string | undefined;

  constructor(index: number, record: SpanRecord) {
    this.index = index;
    this.record = record;
  }

  /** Its JSON, made when it is first asked for. */
  get json(): string {
    this.text ??= JSON.stringify(this.record);
    return this.text;
  }
}

/**
 * Takes copies of what is given, and says of the rest why it can never be stored. At once, before a write waits for
 * anything: whoever gave the records may go on to change them.
 *
 * @param problemOf What else a backing cannot keep.
 */
export function admit(
  given: readonly unknown[],
  problemOf: (record: SpanRecord) => string | undefined = () => undefined,
): Admitted {
  const admitted: Admitted = { records: [], rejected: [] };
  given.forEach((one, index) => {
    const copy = copyRecord(one);
    const message = typeof copy === "string" ? copy : problemOf(copy);
    if (message !== undefined) admitted.rejected.push({ index, code: "invalid_record", message });
    else if (typeof copy !== "string") admitted.records.push(new AdmittedRecord(index, copy));
  });
  return admitted;
}

/** The copy, or what is wrong with the record. */
function copyRecord(given: unknown): SpanRecord | string {
  try {
    const seen = { unusual: false };
    const record = copyOf(given, seen);
    // What JSON would leave out or turn into something else may be wrong where it stands; the copy no longer shows it.
    const problem = (seen.unusual ? problemIn(given) : undefined) ?? problemIn(record);
    return problem ?? (record as SpanRecord);
  } catch {
    return unreadable(given);
  }
}

/** It has itself inside, is too deep, or throws when it is read. */
function unreadable(given: unknown): string {
  try {
    const problem = problemIn(given);
    if (problem !== undefined) return problem;
  } catch {
    // Nothing more can be said.
  }
  return "record: cannot be read as JSON";
}

function problemIn(value: unknown): string | undefined {
  return isPlainRecord(value) ? undefined : recordProblem(value);
}

/** What `JSON.parse(JSON.stringify(value))` gives, in a fifth of the time; each member is read once. */
function copyOf(value: unknown, seen: { unusual: boolean }): unknown {
  // JSON knows no -0.
  if (typeof value === "number")
    return value === 0 ? 0 : Number.isFinite(value) ? value : unusual(seen, null);
  if (typeof value !== "object" || value === null) return isNothing(value) ? unusual(seen, undefined) : value;
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown) => copyOf(item, seen) ?? unusualIn(item, seen));
  }
  if (!isPlainObject(value)) seen.unusual = true;
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
    return unusual(seen, JSON.parse(JSON.stringify(value)));
  }
  // A copy of the whole gets its room at once; one that grows by each member leaves its old rooms to the collector.
  const copy: Record<string, unknown> = { ...value };
  let lacks = Object.getOwnPropertySymbols(copy).length > 0;
  for (const key in copy) {
    const member = copy[key];
    if (typeof member === "string" || !Object.hasOwn(copy, key)) continue;
    const copied = copyOf(member, seen);
    copy[key] = copied;
    lacks ||= copied === undefined;
  }
  return lacks ? Object.fromEntries(Object.entries(copy).filter(([, member]) => member !== undefined)) : copy;
}

function unusual<T>(seen: { unusual: boolean }, value: T): T {
  seen.unusual = true;
  return value;
}

/** What JSON makes of an item that it cannot hold. */
function unusualIn(item: unknown, seen: { unusual: boolean }): null {
  if (item !== null) seen.unusual = true;
  return null;
}

/** What JSON leaves out. */
function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === "function" || typeof value === "symbol";
}
