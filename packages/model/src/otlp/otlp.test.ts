import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hostileTraces,
  makeSpan,
  makeTrace,
  messagesContent,
  runningTrace,
  sampleTrace,
  textContent,
} from "../fixtures/index.ts";
import { canonicalJson } from "../json.ts";
import { json, record } from "../record-arbitraries.test-support.ts";
import { recordProblem } from "../record-schema.ts";
import type { SpanRecord } from "../span.ts";
import { fromAnyValue, toAnyValue } from "./any-value.ts";
import { decodeOtlp } from "./decode.ts";
import { encodeOtlp } from "./encode.ts";
import type { OtlpKeyValue, OtlpSpan, OtlpTraces } from "./otlp-types.ts";

describe("records through OTLP and back", () => {
  it("gives any records back unchanged", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), (records) => {
        const { spans, rejected } = throughWire(records);
        expect(rejected).toEqual([]);
        expect(asSet(spans)).toEqual(asSet(records));
      }),
      { numRuns: 400 },
    );
  });

  it("gives any JSON attribute back unchanged", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(fromAnyValue(JSON.parse(JSON.stringify(toAnyValue(value)))))).toBe(
          canonicalJson(value),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["the sample", sampleTrace()],
    ["the running sample", runningTrace()],
    ["a made trace", makeTrace({ spans: 500 })],
    ...hostileTraces().map(({ name, spans }): [string, SpanRecord[]] => [name, spans]),
  ])("gives %s back unchanged", (_name, records) => {
    const { spans, rejected } = throughWire(records);
    expect(rejected).toEqual([]);
    expect(asSet(spans)).toEqual(asSet(records));
  });

  it("takes nothing of content along unless asked, in whatever attribute", () => {
    const secret = "the secret of the mill";
    const span = makeSpan({
      kind: "tool",
      input: textContent(secret),
      output: messagesContent({ role: "user", parts: [{ type: "text", content: secret }] }),
      stateBefore: textContent(secret),
      stateAfter: { format: "json", state: "captured", hash: "abc", json: secret },
    });
    const request = encodeOtlp([span]);
    expect(JSON.stringify(request)).not.toContain(secret);
    const { input, output, stateBefore, stateAfter, ...rest } = span;
    expect(decodeOtlp(request).spans).toEqual([rest]);
    expect(JSON.stringify(encodeOtlp([span], { content: true }))).toContain(secret);
  });

  it("groups spans by resource and scope", () => {
    const other = { attributes: { "service.name": "other" } };
    const spans = [
      makeSpan({ spanId: "1".repeat(16) }),
      makeSpan({ resource: other }),
      makeSpan({ spanId: "2".repeat(16) }),
    ];
    const { resourceSpans = [] } = encodeOtlp(structuredClone(spans));
    expect(resourceSpans.map(({ scopeSpans }) => scopeSpans?.map((scope) => scope.spans?.length))).toEqual([
      [2],
      [1],
    ]);
  });
});

describe("what other tools see", () => {
  const llm = sampleTrace().find((span) => span.firstTokenTime !== undefined) as SpanRecord;

  it("are canonical gen_ai attributes", () => {
    const attributes = attributesOf(encodeOtlp([llm], { content: true }));
    expect(attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "lumen",
      "gen_ai.request.model": "lumen-large-2",
      "gen_ai.usage.input_tokens": 1840,
      "gen_ai.usage.cache_read.input_tokens": 1536,
      "gen_ai.usage.reasoning.output_tokens": 120,
      "gen_ai.agent.name": "field-extractor",
      "gen_ai.conversation.id": "thread-invoice-1042",
      "gen_ai.response.finish_reasons": ["tool_call"],
      "gen_ai.response.time_to_first_chunk": 0.735,
      "spanloom.cost.nano_usd": 3_824_000,
    });
    const messages: unknown = JSON.parse(String(attributes["gen_ai.output.messages"]));
    expect(messages).toMatchObject([
      { role: "assistant", finish_reason: "tool_call", parts: [{ type: "reasoning" }, {}] },
    ]);
  });

  it("never overwrites what the span says itself", () => {
    const span = { ...llm, attributes: { "gen_ai.request.model": "as-asked" } };
    expect(attributesOf(encodeOtlp([span]))["gen_ai.request.model"]).toBe("as-asked");
    expect(decodeOtlp(encodeOtlp([span])).spans[0]?.attributes).toEqual({
      "gen_ai.request.model": "as-asked",
    });
  });
});

describe("foreign OTLP through records and back", () => {
  it("gives semantically the same request", () => {
    fc.assert(
      fc.property(foreignRequest(), (request) => {
        const before = structuredClone(request);
        const { spans, rejected } = decodeOtlp(request);
        expect(rejected).toEqual([]);
        for (const span of spans) {
          expect(span).toMatchObject({ kind: "internal", executionId: span.traceId, revision: 0 });
          expect(recordProblem(span)).toBeUndefined();
        }
        expect(meaningOf(JSON.parse(JSON.stringify(encodeOtlp(spans))))).toEqual(meaningOf(before));
      }),
      { numRuns: 300 },
    );
  });

  it("reads int64 given as strings or numbers, ids in capitals, enums by name, and skips what it does not know", () => {
    const span = {
      ...plainSpan(),
      traceId: "ABCDEF0123456789ABCDEF0123456789",
      parentSpanId: "",
      kind: "SPAN_KIND_SERVER",
      status: { code: "STATUS_CODE_ERROR", message: null },
      startTimeUnixNano: 1_700_000_000_000_000_000,
      attributes: [
        { key: "a", value: { intValue: 5 } },
        { key: "b", value: { intValue: "9007199254740993" } },
        { key: "c", value: { doubleValue: 2 } },
        { key: "d", value: { bytesValue: "-_8" } },
        { key: "e" },
        { key: "f", value: { futureValue: 1 } },
        {
          key: "g",
          value: {
            kvlistValue: {
              values: [
                { key: "k", value: { intValue: 1 } },
                { key: "k", value: {} },
              ],
            },
          },
        },
      ],
      entirelyNew: { x: 1 },
    };
    const { spans, rejected } = decodeOtlp(requestOf(span));
    expect(rejected).toEqual([]);
    expect(spans[0]).toMatchObject({
      traceId: "abcdef0123456789abcdef0123456789",
      otelKind: "server",
      startTime: "1700000000000000000",
      status: { code: "error" },
      attributes: {
        a: 5,
        b: { $int: "9007199254740993" },
        c: { $double: "2" },
        d: { $bytes: "+/8=" },
        e: null,
        f: null,
        g: {
          $map: [
            ["k", 1],
            ["k", null],
          ],
        },
      },
    });
    expect(spans[0]).not.toHaveProperty("parentSpanId");
    expect(spans[0]).not.toHaveProperty("status.message");
  });

  it.each([undefined, null, 0, "0"])("takes the end %s for a running span", (endTimeUnixNano) => {
    expect(decodeOtlp(requestOf({ ...plainSpan(), endTimeUnixNano })).spans[0]).not.toHaveProperty("endTime");
  });

  it.each([
    { key: "$int", value: { stringValue: "9007199254740993" } },
    { key: "$double", value: { stringValue: "NaN" } },
    { key: "$bytes", value: { stringValue: "aGk=" } },
    { key: "$map", value: { arrayValue: { values: [] } } },
  ])("tells a key-value list with the key $key from the value that this key stands for", (pair) => {
    const attributes = [{ key: "x", value: { kvlistValue: { values: [pair] } } }];
    const { spans } = decodeOtlp(requestOf({ ...plainSpan(), attributes }));
    expect(encodeOtlp(spans)).toMatchObject(requestOf({ ...plainSpan(), attributes }));
  });

  it("does not take a foreign mark of version for its own", () => {
    const foreign = makeSpan({ attributes: { "spanloom.schema_version": 1, "spanloom.node.id": "n1" } });
    foreign.executionId = foreign.traceId;
    expect(decodeOtlp(encodeOtlp([foreign])).spans).toEqual([foreign]);
  });

  it("leaves foreign attributes in our name space alone", () => {
    const attributes = [{ key: "spanloom.node.id", value: { stringValue: "n1" } }];
    const { spans } = decodeOtlp(requestOf({ ...plainSpan(), attributes }));
    expect(spans[0]).toMatchObject({ attributes: { "spanloom.node.id": "n1" } });
    expect(spans[0]).not.toHaveProperty("nodeId");
    expect(encodeOtlp(spans).resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.attributes).toEqual(attributes);
  });
});

describe("bad OTLP", () => {
  it.each([
    ["no object", 5, "must be an object"],
    ["no trace id", { ...plainSpan(), traceId: undefined }, "traceId"],
    ["a base64 id", { ...plainSpan(), spanId: "7zmKkbXc3u8=" }, "spanId"],
    ["an id of zeros", { ...plainSpan(), traceId: "0".repeat(32) }, "traceId"],
    ["no start", { ...plainSpan(), startTimeUnixNano: undefined }, "start time"],
    ["a time beyond int64", { ...plainSpan(), endTimeUnixNano: "99999999999999999999" }, "Unix nanoseconds"],
    ["a negative time", { ...plainSpan(), startTimeUnixNano: "-5" }, "Unix nanoseconds"],
    ["attributes that are no list", { ...plainSpan(), attributes: { a: 1 } }, "must be a list"],
    ["an int that is none", spanWith({ intValue: "5.5" }), "int64"],
    ["an int beyond int64", spanWith({ intValue: "9223372036854775808" }), "int64"],
    ["a double that is none", spanWith({ doubleValue: "much" }), "must be a number"],
    ["bytes that are none", spanWith({ bytesValue: "&&&" }), "base64"],
    ["10,000 levels", spanWith(nested(10_000)), "nested deeper than 100"],
    ["10,000 levels of reserved objects", spanWith(nestedMaps(10_000)), "nested deeper than 100"],
    ["own fields that are no JSON", ownSpan("spanloom.usage", { stringValue: "{" }), "must be JSON text"],
    [
      "own fields of a wrong shape",
      ownSpan("spanloom.usage", { stringValue: '{"input":-1}' }),
      "usage.input",
    ],
    ["a kind that does not exist", ownSpan("spanloom.span.kind", { stringValue: "wizard" }), "kind"],
    ["a newer schema", ownSpan("spanloom.schema_version", { intValue: "99" }), "upgrade"],
  ])("rejects a span with %s, by its place, and keeps its neighbours", (_what, bad, message) => {
    const good = plainSpan();
    const { spans, rejected } = decodeOtlp(requestOf(good, bad, { ...good, spanId: "b".repeat(16) }));
    expect(spans.map((span) => span.spanId)).toEqual([good.spanId, "b".repeat(16)]);
    expect(rejected).toEqual([{ index: 1, message: expect.stringContaining(message) }]);
  });

  it("rejects each span of a resource that cannot be read, and no other", () => {
    const bad = { resource: { attributes: 7 }, scopeSpans: [{ spans: [plainSpan(), plainSpan()] }] };
    const { spans, rejected } = decodeOtlp({ resourceSpans: [bad, ...requestOf(plainSpan()).resourceSpans] });
    expect(spans).toHaveLength(1);
    expect(rejected.map(({ index }) => index)).toEqual([0, 1]);
  });

  it.each([
    [null],
    ["x"],
    [[]],
    [{ resourceSpans: 5 }],
    [{ resourceSpans: [{ scopeSpans: "x" }] }],
    [{ resourceSpans: [7] }],
  ])("refuses %j as a whole", (request) => {
    expect(() => decodeOtlp(request)).toThrow(expect.objectContaining({ code: "invalid_record" }));
  });

  it("reads an empty request", () => {
    expect(decodeOtlp({})).toEqual({ spans: [], rejected: [] });
  });

  it("drops links without valid ids and counts them", () => {
    const links = [
      { traceId: "0".repeat(32), spanId: "1".repeat(16) },
      { traceId: "1".repeat(32), spanId: "1".repeat(16) },
    ];
    const [span] = decodeOtlp(requestOf({ ...plainSpan(), links, droppedLinksCount: 2 })).spans;
    expect(span).toMatchObject({ links: [{ traceId: "1".repeat(32) }], dropped: { links: 3 } });
  });

  it("keeps __proto__ a key like any other", () => {
    const value = { kvlistValue: { values: [{ key: "__proto__", value: { stringValue: "inner" } }] } };
    const { spans } = decodeOtlp(requestOf({ ...plainSpan(), attributes: [{ key: "__proto__", value }] }));
    const attributes = spans[0]?.attributes ?? {};
    expect(Object.keys(attributes)).toEqual(["__proto__"]);
    expect(JSON.stringify(attributes)).toBe('{"__proto__":{"__proto__":"inner"}}');
    expect(({} as Record<string, unknown>).inner).toBeUndefined();
    expect(encodeOtlp(spans).resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.attributes).toEqual([
      { key: "__proto__", value },
    ]);
  });

  it("keeps 90 levels, and encodes deeper ones as dropped attributes instead of failing", () => {
    const { spans } = decodeOtlp(requestOf(spanWith(nested(90))));
    expect(encodeOtlp(spans)).toMatchObject(requestOf(spanWith(nested(90))));
    const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    const encoded = encodeOtlp([
      makeSpan({
        executionId: makeSpan().traceId,
        attributes: { deep, flat: 1 },
        dropped: { attributes: 2 },
      }),
    ]);
    expect(encoded.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]).toMatchObject({
      attributes: [{ key: "flat", value: { intValue: "1" } }],
      droppedAttributesCount: 3,
    });
  });
});

function throughWire(records: readonly SpanRecord[]): ReturnType<typeof decodeOtlp> {
  return decodeOtlp(JSON.parse(JSON.stringify(encodeOtlp(records, { content: true }))));
}

function asSet(records: readonly SpanRecord[]): string[] {
  return records.map(canonicalJson).sort();
}

function attributesOf(request: OtlpTraces): Record<string, unknown> {
  const list = request.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.attributes ?? [];
  return Object.fromEntries(list.map(({ key, value }) => [key, fromAnyValue(value)]));
}

function plainSpan(): OtlpSpan {
  return {
    traceId: "a".repeat(32),
    spanId: "a".repeat(16),
    name: "foreign",
    startTimeUnixNano: "1700000000000000000",
  };
}

function spanWith(value: unknown): object {
  return { ...plainSpan(), attributes: [{ key: "x", value }] };
}

function ownSpan(key: string, value: object): object {
  return {
    ...plainSpan(),
    attributes: [
      { key: "spanloom.schema_version", value: { intValue: "1" } },
      { key, value },
    ],
  };
}

function requestOf(...spans: unknown[]): { resourceSpans: unknown[] } {
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] };
}

function nested(levels: number): object {
  let value: object = { stringValue: "bottom" };
  for (let level = 0; level < levels; level++) value = { arrayValue: { values: [value] } };
  return value;
}

function nestedMaps(levels: number): object {
  let value: object = { stringValue: "bottom" };
  for (let level = 0; level < levels; level++) value = { kvlistValue: { values: [{ key: "$map", value }] } };
  return value;
}

/** Requests as some exporter writes them: int64 as string or number, defaults written out or left out. */
function foreignRequest(): fc.Arbitrary<OtlpTraces> {
  const any = json.map((value) => toAnyValue(value));
  const list = fc
    .uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), any), { selector: ([key]) => key, maxLength: 4 })
    .map((pairs): OtlpKeyValue[] => pairs.map(([key, value]) => ({ key, value })));
  const hex = (length: number): fc.Arbitrary<string> =>
    fc
      .bigInt({ min: 1n, max: 16n ** BigInt(length) - 1n })
      .map((id) => id.toString(16).padStart(length, "0"));
  const counted = { attributes: list, droppedAttributesCount: fc.nat({ max: 9 }) };
  const time = fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String), fc.integer({ min: 1 }));
  const texts = fc.constantFrom("", "x", "https://127.0.0.1/schema/1");
  const identity = { traceId: hex(32), spanId: hex(16) };
  const span: fc.Arbitrary<OtlpSpan> = fc.record(
    {
      ...identity,
      ...counted,
      parentSpanId: fc.oneof(hex(16), fc.constantFrom("", "0".repeat(16))),
      traceState: texts,
      flags: fc.nat({ max: 1_023 }),
      name: texts,
      kind: fc.integer({ min: 1, max: 5 }),
      startTimeUnixNano: time,
      endTimeUnixNano: fc.oneof(time, fc.constant("0")),
      events: fc.array(fc.record({ timeUnixNano: time, name: texts, ...counted }, { requiredKeys: [] }), {
        maxLength: 2,
      }),
      droppedEventsCount: fc.nat({ max: 3 }),
      links: fc.array(
        fc.record(
          { ...identity, ...counted, traceState: texts, flags: fc.nat({ max: 1_023 }) },
          { requiredKeys: ["traceId", "spanId"] },
        ),
        { maxLength: 2 },
      ),
      droppedLinksCount: fc.nat({ max: 3 }),
      status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: texts }, { requiredKeys: [] }),
    },
    { requiredKeys: ["traceId", "spanId", "startTimeUnixNano", "kind"] },
  );
  const scope = fc.record({ name: texts, version: texts, ...counted }, { requiredKeys: [] });
  const scopeSpans = fc.record(
    { scope, spans: fc.array(span, { maxLength: 3 }), schemaUrl: texts },
    { requiredKeys: ["spans"] },
  );
  const resource = fc.record(counted, { requiredKeys: [] });
  return fc.record({
    resourceSpans: fc.array(
      fc.record(
        { resource, scopeSpans: fc.array(scopeSpans, { maxLength: 2 }), schemaUrl: texts },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
  });
}

/** One line a span, with its resource and scope: what the request says, without how it says it. */
function meaningOf(request: OtlpTraces): string[] {
  const lines = (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [], schemaUrl }) =>
    scopeSpans.flatMap((scope) =>
      (scope.spans ?? []).map((span) =>
        canonicalJson(
          withoutDefaults({ resource, schemaUrl, scope: scope.scope, scopeUrl: scope.schemaUrl, span }),
        ),
      ),
    ),
  );
  return lines.sort();
}

/** Proto3's absent: null, 0, "", [] and ids of zeros, outside attribute values; numbers and their digits are one. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => {
    return key === "attributes" ? [key, sorted(member)] : [key, withoutDefaults(member)];
  });
  return Object.fromEntries(entries.filter(([, member]) => !isDefault(member)));
}

function isDefault(value: unknown): boolean {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return ["", "0", "null", "[]", "{}", "0".repeat(16)].includes(text ?? "");
}

function sorted(list: unknown): unknown {
  return (list as OtlpKeyValue[]).map((pair) => canonicalJson(inKeyOrder(pair))).sort();
}

/** Objects of integer-like keys come back in another order, which a map does not have. */
function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const members = value.map(inKeyOrder);
    const isMap =
      members.length > 0 &&
      members.every((member) => typeof member === "object" && member !== null && "key" in member);
    return isMap ? members.map((member) => canonicalJson(member)).sort() : members;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inKeyOrder(member)]));
}
