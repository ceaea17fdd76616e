import * as fc from "fast-check";
import type { Attributes } from "./attributes.ts";
import type { Content, Message, MessagePart } from "./content.ts";
import { EXECUTION_STATUSES } from "./execution.ts";
import type { JsonValue } from "./json.ts";
import { OTEL_KINDS, SCHEMA_VERSION, SPAN_KINDS, type SpanRecord } from "./span.ts";

/** Any text, with what breaks naive code among it. */
const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "toString",
    "$int",
    "$map",
    "spanloom.x",
    "\ud800",
    "<b>",
    "\u202e",
    "\u0000",
  ),
);

const filled = text.filter((value) => value !== "");
const id = filled.filter((value) => value !== "." && value !== "..");
const count = fc.oneof(fc.nat({ max: 5_000 }), fc.maxSafeNat());
const uint32 = fc.integer({ min: 1, max: 0xffff_ffff });

/** Any JSON, wrappers of attribute values and things that look like them included. No negative zero: JSON has none. */
export const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(text, fc.boolean(), fc.constant(null), fc.maxSafeInteger(), number(), wrapper(), text),
    fc.array(tie("value"), { maxLength: 4 }),
    object(tie("value")),
    fc.array(fc.tuple(text, tie("value")), { maxLength: 3 }).map((pairs) => ({ $map: pairs })),
    fc
      .tuple(fc.constantFrom("$int", "$double", "$bytes", "$map"), tie("value"))
      .map(([key, value]) => ({ [key]: value })),
  ),
})).value;

const attributes: fc.Arbitrary<Attributes> = fc.oneof(
  { weight: 4, arbitrary: object(json) },
  {
    weight: 1,
    arbitrary: object(json).map((value) => ({
      ...value,
      "gen_ai.operation.name": "mine",
      "spanloom.mirrored": ["x"],
      "spanloom.attribute.y": 1,
    })),
  },
  { weight: 1, arbitrary: fc.constant({ "spanloom.schema_version": 1, "spanloom.usage": "{" }) },
);

const traceId: fc.Arbitrary<string> = hex(32);
const spanId: fc.Arbitrary<string> = hex(16);
const nanos: fc.Arbitrary<string> = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String);

/** Any valid record in the form that OTLP can carry: nothing empty or 0 where proto3 cannot tell that from absent. */
export const record: fc.Arbitrary<SpanRecord> = fc.tuple(otelFields(), ownFields()).map(([otel, own]) => {
  const merged = { ...otel, ...own, schemaVersion: SCHEMA_VERSION };
  if (merged.endTime === undefined) delete merged.syntheticEnd;
  return merged;
});

function otelFields() {
  const counted = { attributes, droppedAttributes: uint32 };
  const required = { requiredKeys: ["attributes"] } satisfies { requiredKeys: ["attributes"] };
  return fc.record(
    {
      traceId,
      spanId,
      parentSpanId: spanId,
      name: text,
      otelKind: fc.constantFrom(...OTEL_KINDS),
      startTime: nanos,
      endTime: nanos,
      status: fc.record(
        { code: fc.constantFrom("unset" as const, "ok" as const, "error" as const), message: filled },
        { requiredKeys: ["code"] },
      ),
      attributes,
      events: fc.array(
        fc.record({ name: text, time: nanos, ...counted }, { requiredKeys: ["name", "time", "attributes"] }),
        { maxLength: 2 },
      ),
      links: fc.array(
        fc.record(
          { traceId, spanId, traceState: filled, flags: uint32, ...counted },
          { requiredKeys: ["traceId", "spanId", "attributes"] },
        ),
        { maxLength: 2 },
      ),
      resource: fc.record({ ...counted, schemaUrl: filled }, required),
      instrumentation: fc.record(
        {
          name: text,
          version: filled,
          attributes: attributes.filter((value) => Object.keys(value).length > 0),
          droppedAttributes: uint32,
          schemaUrl: filled,
        },
        { requiredKeys: ["name"] },
      ),
      traceState: filled,
      flags: uint32,
      dropped: fc.record({ attributes: uint32, events: uint32 }, { requiredKeys: ["attributes"] }),
    },
    {
      requiredKeys: [
        "traceId",
        "spanId",
        "name",
        "otelKind",
        "startTime",
        "status",
        "attributes",
        "events",
        "links",
        "resource",
        "instrumentation",
      ],
    },
  );
}

function ownFields() {
  const redactions = fc.array(fc.record({ rule: text, count }), { maxLength: 2 });
  return fc.record(
    {
      executionId: id,
      kind: fc.constantFrom(...SPAN_KINDS),
      revision: count,
      nodeId: id,
      nodeType: text,
      attempt: fc.integer({ min: 1, max: 9 }),
      agent: text,
      syntheticEnd: fc.constantFrom("timed_out" as const, "process_lost" as const),
      firstTokenTime: nanos,
      usage: fc.record(
        {
          input: count,
          output: count,
          cachedInput: count,
          cacheWrite: count,
          reasoning: count,
          total: count,
          subtotal: fc.constant(true as const),
        },
        { requiredKeys: [] },
      ),
      cost: fc.record(
        {
          nanoUsd: count,
          source: fc.constantFrom("reported" as const, "computed" as const, "override" as const),
          priceVersion: text,
          parts: fc.record({ input: count, fee: count }, { requiredKeys: [] }),
        },
        { requiredKeys: ["nanoUsd", "source"] },
      ),
      model: text,
      provider: text,
      artifacts: fc.array(
        fc.record(
          { artifactId: id, name: text, mediaType: text, sizeBytes: count },
          { requiredKeys: ["artifactId", "name"] },
        ),
        { maxLength: 2 },
      ),
      workflowId: id,
      workflowName: text,
      threadId: id,
      executionStatus: fc.constantFrom(...EXECUTION_STATUSES),
      finishReasons: fc.array(text, { maxLength: 3 }),
      input: content(),
      output: content(),
      stateBefore: content(),
      stateAfter: content(),
      cache: fc.array(fc.record({ keyspace: text, hits: count, misses: count }), { maxLength: 2 }),
      redactions,
      provenance: fc
        .array(fc.tuple(filled, fc.record({ dialect: text, key: text })), { maxLength: 2 })
        .map((entries) => Object.fromEntries(entries)),
    },
    { requiredKeys: ["executionId", "kind", "revision"] },
  );
}

function content(): fc.Arbitrary<Content> {
  const base = {
    state: fc.constantFrom(
      "captured" as const,
      "redacted" as const,
      "truncated" as const,
      "not_captured" as const,
      "missing" as const,
    ),
    reason: text,
    length: count,
    ref: fc.record({ sha256: fc.constant("ab".repeat(32)), length: count }),
  };
  const part: fc.Arbitrary<MessagePart> = fc.oneof(
    fc.record({ type: fc.constant("text" as const), content: text }),
    fc.record({ type: fc.constant("tool_call" as const), id: text, name: text, arguments: json }),
    fc.record({ type: fc.constant("media" as const), uri: text, mimeType: text }),
    fc.record({ type: fc.constant("other" as const), value: json }),
  );
  const message: fc.Arbitrary<Message> = fc.record(
    { role: text, parts: fc.array(part, { maxLength: 3 }), finishReason: text },
    { requiredKeys: ["role", "parts"] },
  );
  return fc.oneof(
    fc.record({ format: fc.constant("text" as const), ...base, text }, { requiredKeys: ["format", "state"] }),
    fc.record({ format: fc.constant("json" as const), ...base, json }, { requiredKeys: ["format", "state"] }),
    fc.record(
      { format: fc.constant("messages" as const), ...base, messages: fc.array(message, { maxLength: 2 }) },
      { requiredKeys: ["format", "state"] },
    ),
  );
}

/** `fromEntries`, so that `__proto__` becomes a key like any other. */
function object(value: fc.Arbitrary<JsonValue>): fc.Arbitrary<{ [key: string]: JsonValue }> {
  return fc.array(fc.tuple(text, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
}

function number(): fc.Arbitrary<number> {
  return fc
    .oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(1e300, 0.1, 2 ** 53, -(2 ** 63)),
    )
    .map((value) => (value === 0 ? 0 : value));
}

function wrapper(): fc.Arbitrary<JsonValue> {
  return fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((int) => ({ $int: String(int) })),
    fc.constantFrom(
      { $double: "1" },
      { $double: "-0" },
      { $double: "NaN" },
      { $double: "-Infinity" },
      { $double: "1.0" },
    ),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => ({ $bytes: Buffer.from(bytes).toString("base64") })),
  );
}

function hex(length: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })
    .filter((value) => /[1-9a-f]/.test(value));
}
