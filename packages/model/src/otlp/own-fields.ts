import { SPANLOOM } from "../attribute-keys.ts";
import type { Attributes, AttributeValue } from "../attributes.ts";
import { CONTENT_FIELDS } from "../content-rule.ts";
import type { Cost } from "../cost.ts";
import { canonicalJson, type JsonValue } from "../json.ts";
import { SCHEMA_VERSION, type SpanRecord } from "../span.ts";
import { toAnyValue } from "./any-value.ts";
import type { OtlpKeyValue } from "./otlp-types.ts";
import { malformed } from "./read-json.ts";

/** A field of the record that OpenTelemetry has no place for, and the attribute that it travels under. */
interface OwnField {
  field: keyof SpanRecord;
  key: string;
  /** Travels as JSON text, because many tools show structured attributes badly or not at all. */
  json?: true;
}

const OWN_FIELDS: readonly OwnField[] = [
  { field: "executionId", key: SPANLOOM.executionId },
  { field: "executionStatus", key: SPANLOOM.executionStatus },
  { field: "workflowId", key: SPANLOOM.workflowId },
  { field: "workflowName", key: SPANLOOM.workflowName },
  { field: "threadId", key: SPANLOOM.threadId },
  { field: "kind", key: SPANLOOM.kind },
  { field: "nodeId", key: SPANLOOM.nodeId },
  { field: "nodeType", key: SPANLOOM.nodeType },
  { field: "attempt", key: SPANLOOM.attempt },
  { field: "revision", key: SPANLOOM.revision },
  { field: "syntheticEnd", key: SPANLOOM.syntheticEnd },
  { field: "firstTokenTime", key: SPANLOOM.firstTokenTime },
  { field: "agent", key: SPANLOOM.agent },
  { field: "model", key: SPANLOOM.model },
  { field: "provider", key: SPANLOOM.provider },
  { field: "finishReasons", key: SPANLOOM.finishReasons },
  { field: "usage", key: SPANLOOM.usage, json: true },
  { field: "artifacts", key: SPANLOOM.artifacts, json: true },
  { field: "cache", key: SPANLOOM.cache, json: true },
  { field: "redactions", key: SPANLOOM.redactions, json: true },
  { field: "provenance", key: SPANLOOM.provenance, json: true },
  { field: "input", key: SPANLOOM.input, json: true },
  { field: "output", key: SPANLOOM.output, json: true },
  { field: "stateBefore", key: SPANLOOM.stateBefore, json: true },
  { field: "stateAfter", key: SPANLOOM.stateAfter, json: true },
];

const CONTENT: ReadonlySet<keyof SpanRecord> = new Set(CONTENT_FIELDS);
const WITHOUT_CONTENT = OWN_FIELDS.filter(({ field }) => !CONTENT.has(field));

const BY_KEY: ReadonlyMap<string, OwnField> = new Map(OWN_FIELDS.map((own) => [own.key, own]));

/**
 * What a span needs beside its own attributes to come back whole. A span that says nothing beyond OpenTelemetry (as
 * foreign ones do) needs nothing, and travels as it came.
 */
export function ownKeyValues(span: SpanRecord, content: boolean): OtlpKeyValue[] | undefined {
  const own: OtlpKeyValue[] = [{ key: SPANLOOM.schemaVersion, value: toAnyValue(span.schemaVersion) }];
  for (const { field, key, json } of content ? OWN_FIELDS : WITHOUT_CONTENT) {
    const value = span[field];
    if (value === undefined || isImplied(field, span)) continue;
    own.push({
      key,
      value: json ? { stringValue: canonicalJson(value) } : toAnyValue(value as AttributeValue),
    });
  }
  if (span.cost !== undefined) addCostTo(own, span.cost);
  const plain = own.length === 1 && span.schemaVersion === SCHEMA_VERSION;
  return plain && !Object.hasOwn(span.attributes, SPANLOOM.schemaVersion) ? undefined : own;
}

/** A key of the span itself that could be taken for one of ours. */
export function escapeKey(key: string): string {
  return key.startsWith(SPANLOOM.prefix) ? SPANLOOM.escape + key : key;
}

/** Whether Spanloom encoded the span: only then do `spanloom.*` attributes stand for fields. */
export function isOwn(attributes: Attributes): boolean {
  return Number.isInteger(attributes[SPANLOOM.schemaVersion]);
}

/** The fields and the span's own attributes out of an encoded span's. What the fields hold is still to be checked. */
export function fromOwnAttributes(encoded: Attributes): { attributes: Attributes; fields: Attributes } {
  const fields: Attributes = { schemaVersion: encoded[SPANLOOM.schemaVersion] ?? SCHEMA_VERSION };
  const attributes: [string, AttributeValue][] = [];
  const cost: Attributes = {};
  const list = encoded[SPANLOOM.mirrored];
  const mirrored = new Set<AttributeValue>(Array.isArray(list) ? list : []);
  for (const [key, value] of Object.entries(encoded)) {
    const own = BY_KEY.get(key);
    const part = COST_PARTS.get(key);
    if (own !== undefined) fields[own.field] = own.json ? parseJson(key, value) : value;
    else if (part !== undefined) cost[part] = part === "parts" ? parseJson(key, value) : value;
    else if (key.startsWith(SPANLOOM.escape)) attributes.push([key.slice(SPANLOOM.escape.length), value]);
    else if (key !== SPANLOOM.schemaVersion && key !== SPANLOOM.mirrored && !mirrored.has(key)) {
      attributes.push([key, value]);
    }
  }
  if (Object.keys(cost).length > 0) fields.cost = cost;
  return { attributes: Object.fromEntries(attributes), fields };
}

const COST_PARTS: ReadonlyMap<string, keyof Cost> = new Map([
  [SPANLOOM.costNanoUsd, "nanoUsd"],
  [SPANLOOM.costSource, "source"],
  [SPANLOOM.costPriceVersion, "priceVersion"],
  [SPANLOOM.costParts, "parts"],
]);

function addCostTo(own: OtlpKeyValue[], { nanoUsd, source, priceVersion, parts }: Cost): void {
  own.push({ key: SPANLOOM.costNanoUsd, value: toAnyValue(nanoUsd) });
  own.push({ key: SPANLOOM.costSource, value: { stringValue: source } });
  if (priceVersion !== undefined)
    own.push({ key: SPANLOOM.costPriceVersion, value: { stringValue: priceVersion } });
  if (parts !== undefined)
    own.push({ key: SPANLOOM.costParts, value: { stringValue: canonicalJson(parts) } });
}

/** What decoding fills in when the attribute is not there. */
function isImplied(field: keyof SpanRecord, span: SpanRecord): boolean {
  if (field === "executionId") return span.executionId === span.traceId;
  if (field === "kind") return span.kind === "internal";
  return field === "revision" && span.revision === 0;
}

function parseJson(key: string, value: AttributeValue): JsonValue {
  try {
    return JSON.parse(String(value));
  } catch {
    throw malformed(`The attribute ${key}`, "must be JSON text");
  }
}
