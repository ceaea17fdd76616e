import { describe, expect, it } from "vitest";
import { makeSpan } from "../fixtures/index.ts";
import { decodeOtlp } from "./decode.ts";
import { encodeOtlp } from "./encode.ts";
import type { OtlpSpan } from "./otlp-types.ts";

describe("foreign OTLP", () => {
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
