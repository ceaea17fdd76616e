import {
  type Attributes,
  type AttributeValue,
  canonicalJson,
  type FieldSource,
  type SpanRecord,
  type TokenUsage,
} from "@spanloom/model";
import type { EventKeys, NormalizedField, RecordDraft } from "./dialect.ts";

/** A draft that copies what it changes, once. */
export class CopyOnWriteDraft implements RecordDraft {
  record: SpanRecord;
  readonly #source: SpanRecord;
  readonly #dialect: string;
  /** The attributes that nobody has taken. A map, because most keys that a dialect asks for are not there. */
  readonly #attributes = new Map<string, AttributeValue>();
  #taken = false;
  #provenance: Record<string, FieldSource> | undefined;
  #usageCopied = false;

  constructor(record: SpanRecord, dialect: string) {
    this.record = record;
    this.#source = record;
    this.#dialect = dialect;
    for (const key of Object.keys(record.attributes)) {
      this.#attributes.set(key, record.attributes[key] as AttributeValue);
    }
  }

  /** The record with all changes made. */
  finish(): SpanRecord {
    if (this.#taken) this.#own().attributes = fromEntries(this.#attributes);
    return this.record;
  }

  attribute(key: string): AttributeValue | undefined {
    return this.#attributes.get(key);
  }

  keys(prefix: string): string[] {
    return [...this.#attributes.keys()].filter((key) => key.startsWith(prefix));
  }

  move<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], ...keys: string[]): boolean {
    if (!this.derive(field, value, keys[0] as string)) return false;
    this.#take(keys);
    return true;
  }

  derive<Field extends NormalizedField>(field: Field, value: SpanRecord[Field], key: string): boolean {
    const present = this.record[field];
    if (!isUnset(this.record, field))
      return (
        present === value || (typeof value === "object" && canonicalJson(present) === canonicalJson(value))
      );
    this.#own()[field] = value;
    this.#say(field, key);
    return true;
  }

  moveFromEvents<Field extends NormalizedField>(
    field: Field,
    value: SpanRecord[Field],
    from: readonly EventKeys[],
  ): boolean {
    const first = from[0] && this.record.events[from[0].event];
    if (first === undefined || !this.derive(field, value, first.name)) return false;
    const events = [...this.record.events];
    for (const { event, keys } of from) {
      const changed = events[event];
      if (changed === undefined) continue;
      const taken = new Set(keys);
      const rest = Object.entries(changed.attributes).filter(([key]) => !taken.has(key));
      events[event] = { ...changed, attributes: fromEntries(rest) };
    }
    this.#own().events = events;
    return true;
  }

  moveUsage(counts: TokenUsage, ...keys: string[]): boolean {
    if (!this.deriveUsage(counts, keys[0] as string)) return false;
    this.#take(keys);
    return true;
  }

  deriveUsage(counts: TokenUsage, key: string): boolean {
    let agreed = true;
    for (const name of Object.keys(counts) as (keyof TokenUsage)[]) {
      const present = this.record.usage?.[name];
      if (present === undefined) this.#setCount(name, counts[name], key);
      else agreed &&= present === counts[name];
    }
    return agreed;
  }

  #setCount<Name extends keyof TokenUsage>(name: Name, count: TokenUsage[Name], key: string): void {
    const record = this.#own();
    if (record.usage === undefined) this.#say("usage", key);
    else if (record.provenance?.usage?.dialect !== this.#dialect) this.#say(`usage.${name}`, key);
    if (!this.#usageCopied) record.usage = { ...record.usage };
    this.#usageCopied = true;
    (record.usage as TokenUsage)[name] = count;
  }

  #say(field: string, key: string): void {
    this.#provenance ??= { ...this.record.provenance };
    this.#provenance[field] = { dialect: this.#dialect, key };
    this.#own().provenance = this.#provenance;
  }

  #own(): SpanRecord {
    if (this.record === this.#source) this.record = { ...this.#source };
    return this.record;
  }

  #take(keys: readonly string[]): void {
    for (const key of keys) if (this.#attributes.delete(key)) this.#taken = true;
  }
}

/** `internal` and an execution named after its trace are what a record has while nobody knows better. */
function isUnset(record: SpanRecord, field: NormalizedField): boolean {
  if (field === "kind") return record.kind === "internal";
  if (field === "executionId") return record.executionId === record.traceId;
  return record[field] === undefined;
}

function fromEntries(entries: Iterable<[string, AttributeValue]>): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of entries) {
    // Plain assignment to this one would set the prototype.
    if (key === "__proto__") return Object.fromEntries(entries);
    attributes[key] = value;
  }
  return attributes;
}
