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
  /** Keys taken out of the attributes, which are copied without them when the dialect is done. */
  readonly #taken = new Set<string>();
  #provenance: Record<string, FieldSource> | undefined;
  #usageCopied = false;

  constructor(record: SpanRecord, dialect: string) {
    this.record = record;
    this.#source = record;
    this.#dialect = dialect;
  }

  /** The record with all changes made. */
  finish(): SpanRecord {
    if (this.#taken.size > 0) this.#own().attributes = without(this.#source.attributes, this.#taken);
    return this.record;
  }

  attribute(key: string): AttributeValue | undefined {
    const { attributes } = this.#source;
    const value = attributes[key];
    // Most keys that a dialect asks for are not there: that has to be quick.
    if (value === undefined || !Object.hasOwn(attributes, key) || this.#taken.has(key)) return undefined;
    return value;
  }

  keys(prefix: string): string[] {
    const found: string[] = [];
    for (const key in this.#source.attributes) {
      if (key.startsWith(prefix) && !this.#taken.has(key)) found.push(key);
    }
    return found;
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
      events[event] = { ...changed, attributes: without(changed.attributes, new Set(keys)) };
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
    for (const key of keys) if (Object.hasOwn(this.#source.attributes, key)) this.#taken.add(key);
  }
}

/** `internal` and an execution named after its trace are what a record has while nobody knows better. */
function isUnset(record: SpanRecord, field: NormalizedField): boolean {
  if (field === "kind") return record.kind === "internal";
  if (field === "executionId") return record.executionId === record.traceId;
  return record[field] === undefined;
}

function without(attributes: Attributes, keys: ReadonlySet<string>): Attributes {
  const rest: Attributes = {};
  for (const key of Object.keys(attributes)) {
    if (keys.has(key)) continue;
    const value = attributes[key] as AttributeValue;
    // Plain assignment to this one would set the prototype.
    if (key === "__proto__")
      Object.defineProperty(rest, key, { value, enumerable: true, configurable: true, writable: true });
    else rest[key] = value;
  }
  return rest;
}
