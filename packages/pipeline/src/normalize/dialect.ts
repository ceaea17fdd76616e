import type { AttributeValue, SpanRecord, TokenUsage } from "@spanloom/model";

/**
 * How one family of instrumentations writes what the model has fields for. A dialect moves the keys that it consumes:
 * the value leaves `attributes` and stands in its field, and `provenance` says whence it came.
 *
 * It reads a record when one of its `prefixes` begins an attribute key or the name of an event, or when `detect` says so.
 */
export interface Dialect {
  /** Short and stable; stands in provenance. */
  readonly name: string;
  /** All dialects share one pass over the keys, so this is cheaper than `detect`. */
  readonly prefixes?: readonly string[];
  /** For what no prefix tells. Runs on every span: ask for a field, do not search. */
  detect?(record: SpanRecord): boolean;
  /** Sets what it knows on the draft. What it throws costs the dialect's own changes, nothing else. */
  normalize(draft: RecordDraft): void;
}

/** Fields that a dialect may set. Identity, times and what the instrumentation itself dropped are not among them. */
export type NormalizedField =
  | "executionId"
  | "executionStatus"
  | "workflowId"
  | "workflowName"
  | "threadId"
  | "nodeId"
  | "nodeType"
  | "attempt"
  | "agent"
  | "kind"
  | "firstTokenTime"
  | "usage"
  | "cost"
  | "model"
  | "provider"
  | "finishReasons"
  | "input"
  | "output";

/** Attributes of one of the record's events. */
export interface EventKeys {
  /** The event's place in `record.events`. */
  event: number;
  keys: readonly string[];
}

/** A record being normalised. The input record is never touched. */
export interface RecordDraft {
  /** The record so far. */
  readonly record: Readonly<SpanRecord>;
  /** The attribute, where it is still there. */
  attribute(key: string): AttributeValue | undefined;
  /** The keys that are still there and begin so. Walks over all of them: for keys that carry an index. */
  keys(prefix: string): string[];
  /**
   * Sets a field that nobody has set and takes the keys it was read from out of the attributes. Where the field is
   * already set to something else the keys stay, so that no value is lost. Returns whether the field now has this value.
   */
  move<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], ...keys: string[]): boolean;
  /** Sets a field that nobody has set and leaves the key where it is: for a key that says more than the field can. */
  derive<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], key: string): boolean;
  /** As `move`, with attributes of events. An event that is left without attributes stays: it says when. */
  moveFromEvents<Field extends NormalizedField>(
    field: Field,
    value: SpanRecord[Field],
    from: readonly EventKeys[],
  ): boolean;
  /** As `move`, count by count: dialects may each know another part of the usage. */
  moveUsage(counts: TokenUsage, ...keys: string[]): boolean;
  /** As `derive`, count by count. */
  deriveUsage(counts: TokenUsage, key: string): boolean;
}
