import type { AttributeValue, SpanRecord } from "@spanloom/model";

/**
 * How one family of instrumentations writes what the model has fields for. A dialect moves the keys that it consumes:
 * the value leaves `attributes` and stands in its field, and `provenance` says whence it came.
 */
export interface Dialect {
  /** Short and stable; stands in provenance. */
  readonly name: string;
  /** Cheap: runs on every span. */
  detect(record: SpanRecord): boolean;
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

/** A record being normalised. The input record is never touched. */
export interface RecordDraft {
  /** The record so far. */
  readonly record: Readonly<SpanRecord>;
  /** The attribute, where it is still there. */
  attribute(key: string): AttributeValue | undefined;
  /**
   * Sets a field that nobody has set and takes the keys it was read from out of the attributes. Where the field is
   * already set to something else the keys stay, so that no value is lost. Returns whether the field now has this value.
   */
  move<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], ...keys: string[]): boolean;
  /** Sets a field that nobody has set and leaves the key where it is: for a key that says more than the field can. */
  derive<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], key: string): boolean;
}
