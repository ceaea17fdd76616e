import {
  type Attributes,
  type AttributeValue,
  canonicalJson,
  type FieldSource,
  type SpanRecord,
} from "@spanloom/model";
import type { NormalizedField, RecordDraft } from "./dialect.ts";

/** A draft that copies what it changes, once. */
export class CopyOnWriteDraft implements RecordDraft {
  record: SpanRecord;
  readonly #dialect: string;
  #attributesCopied = false;
  #provenance: Record<string, FieldSource> | undefined;

  constructor(record: SpanRecord, dialect: string) {
    this.record = record;
    this.#dialect = dialect;
  }

  attribute(key: string): AttributeValue | undefined {
    return Object.hasOwn(this.record.attributes, key) ? this.record.attributes[key] : undefined;
  }

  move<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], ...keys: string[]): boolean {
    if (!this.derive(field, value, keys[0] as string)) return false;
    for (const key of keys) this.#remove(key);
    return true;
  }

  derive<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], key: string): boolean {
    const present = this.record[field];
    if (!isUnset(this.record, field))
      return present === value || canonicalJson(present) === canonicalJson(value);
    this.#provenance ??= { ...this.record.provenance };
    this.#provenance[field] = { dialect: this.#dialect, key };
    this.record = { ...this.record, [field]: value, provenance: this.#provenance };
    return true;
  }

  #remove(key: string): void {
    if (!Object.hasOwn(this.record.attributes, key)) return;
    if (!this.#attributesCopied) {
      const attributes: Attributes = Object.assign(Object.create(null), this.record.attributes);
      this.record = { ...this.record, attributes };
      this.#attributesCopied = true;
    }
    delete this.record.attributes[key];
  }
}

/** `internal` and an execution named after its trace are what a record has while nobody knows better. */
function isUnset(record: SpanRecord, field: NormalizedField): boolean {
  if (field === "kind") return record.kind === "internal";
  if (field === "executionId") return record.executionId === record.traceId;
  return record[field] === undefined;
}
