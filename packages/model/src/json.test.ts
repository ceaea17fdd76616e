import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, isPlainObject, type JsonValue } from "./json.ts";
import { json } from "./record-arbitraries.test-support.ts";
import { isJson } from "./record-schema.ts";

describe("isPlainObject", () => {
  const plain = [
    "({ a: 1 })",
    "Object.create(null)",
    "JSON.parse('{\"constructor\":1}')",
    "structuredClone({ a: 1 })",
  ];
  const others = [
    ...["new Date(0)", "new Map()", "new (class Span { a = 1 })()", "new (class Object { a = 1 })()", "[]"],
    ...[
      "Object.create(Object.create(null))",
      "Object.create({ a: 1 })",
      "/a/",
      "new Error('x')",
      "null",
      "'text'",
    ],
  ];
  const inOwnRealm = (code: string): unknown => new Function(`return (${code})`)();
  const inOtherRealm = (code: string): unknown => runInNewContext(code, { structuredClone });

  it.each(plain)("is true for %s, in this realm and in another", (code) => {
    for (const value of [inOwnRealm(code), inOtherRealm(code)]) {
      expect(isPlainObject(value)).toBe(true);
      expect(isJson([value])).toBe(true);
    }
  });

  it.each(others)("is false for %s, in this realm and in another", (code) => {
    for (const value of [inOwnRealm(code), inOtherRealm(code)]) expect(isPlainObject(value)).toBe(false);
  });

  it("lets no instance into JSON from another realm, and arrays of it", () => {
    for (const code of ["new Date(0)", "new Map()", "({ a: [new (class Span {})()] })"]) {
      expect(isJson(inOtherRealm(code))).toBe(false);
    }
    expect(isJson(inOtherRealm("[1, { a: [null] }]"))).toBe(true);
  });
});

describe("canonicalJson", () => {
  it("is JSON of the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.stringify(JSON.parse(canonicalJson(value)))).toBe(JSON.stringify(sortedByKey(value)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives equal text for equal values, whatever the order of keys", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it("tells different values apart", () => {
    const values = [
      1,
      "1",
      null,
      "null",
      [],
      {},
      [[]],
      [null],
      { a: null },
      { a: [] },
      "",
      true,
      "true",
      [1, 2],
      [12],
    ];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });

  it("leaves undefined members out, and keeps their place in arrays", () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}');
  });

  it("orders keys by code unit", () => {
    expect(canonicalJson({ b: 1, a: 2, B: 3, "10": 4, "9": 5, é: 6 })).toBe(
      '{"10":4,"9":5,"B":3,"a":2,"b":1,"é":6}',
    );
  });

  it.each([
    ['{"a":{"10":1,"9":[2]},"b":0}', { b: 0, a: { 9: [2], 10: 1 } }],
    ['[{"__proto__":{"a":1,"b":2}}]', [JSON.parse('{"__proto__":{"b":2,"a":1}}')]],
    ['{"a":{},"b":{"z":1}}', { b: { z: 1 }, a: new Date(0) }],
    ['{"a":null,"b":[null]}', { b: [Symbol("s")], a: () => 1 }],
    ['{"a":1,"b":{"c":2}}', { b: { toJSON: undefined, c: 2 }, a: 1 }],
    ['{"a":{},"b":{}}', { b: new Number(1), a: new String("") }],
    ["null", undefined],
  ])("writes %s wherever in a value a part of it is unusual", (text, value) => {
    expect(canonicalJson(value)).toBe(text);
    expect(canonicalJson({ z: [value], a: 0 })).toBe(`{"a":0,"z":[${text}]}`);
  });

  it("survives 100,000 levels", () => {
    const text = `${'{"a":['.repeat(50_000)}${"]}".repeat(50_000)}`;
    expect(canonicalJson(JSON.parse(text))).toBe(text);
  });
});

function sortedByKey(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortedByKey);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sortedByKey(member)]));
}

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
