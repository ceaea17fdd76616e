import { runInNewContext } from "node:vm";
import { recordProblem, type SpanRecord } from "@spanloom/model";
import { jsonContent, makeSpan, messagesContent, sampleTrace, textContent } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { isPlainRecord } from "./plain-record.ts";

const full: SpanRecord = makeSpan({
  parentSpanId: "00000000000000ff",
  ...{
    nodeId: "node",
    nodeType: "llm",
    attempt: 2,
    agent: "a",
    workflowId: "w",
    workflowName: "W",
    model: "m",
    provider: "p",
  },
  ...{
    firstTokenTime: "1795167000500000000",
    syntheticEnd: "timed_out",
    executionStatus: "failed",
    traceState: "a=b",
    flags: 1,
    threadId: "t",
    finishReasons: ["stop"],
  },
  status: { code: "error", message: "broken" },
  usage: { input: 1, output: 2, cachedInput: 0, cacheWrite: 0, reasoning: 1, total: 3 },
  cost: { nanoUsd: 5, source: "computed", priceVersion: "v@1", parts: { input: 2, output: 3 } },
  attributes: { a: 1, b: "x", c: [1, { d: null }] },
  input: textContent("in"),
  output: jsonContent({ a: [1] }),
  stateBefore: messagesContent({ role: "user", parts: [{ type: "text", content: "hi" }], name: "n" }),
});

const JUNK: unknown[] = [
  ...[
    undefined,
    null,
    "",
    ".",
    "x".repeat(201),
    "ok",
    "1",
    -1,
    0,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    true,
  ],
  ...[
    [],
    {},
    [1],
    { a: Number.NaN },
    { a: undefined },
    { code: "bad" },
    { name: 1 },
    { attributes: [] },
    new Date(0),
    new Map(),
    runInNewContext("new Date(0)"),
    runInNewContext("({ a: new Map() })"),
    runInNewContext("new (class Attributes { a = 1 })()"),
  ],
  ...[
    Symbol("x"),
    1n,
    () => 1,
    { attributes: {}, schemaUrl: 1 },
    { nanoUsd: 1 },
    { input: -1 },
    { format: "text" },
  ],
  ...[
    { format: "json", state: "captured", json: 1n },
    { format: "text", state: "captured", text: 1 },
    { subtotal: false },
  ],
  ...[
    { nanoUsd: 1, source: "reported", parts: { input: -1 } },
    { nanoUsd: 1, source: "reported", parts: { other: "x" } },
  ],
  ...[
    [{ role: "user", parts: [{ type: "new" }] }],
    [{ role: 1, parts: [] }],
    [{ role: "user", parts: [], name: 1 }],
  ],
  ...[messagesContent({ role: "user", parts: [] }), { format: "messages", state: "captured", messages: "x" }],
];

test("a record with everything that is plain passes without the schema", () => {
  expect(isPlainRecord(full)).toBe(true);
  expect(isPlainRecord(makeSpan())).toBe(true);
  expect(sampleTrace().some(isPlainRecord)).toBe(true);
});

test("a record of another realm passes, too", () => {
  const record: unknown = runInNewContext("JSON.parse(text)", { text: JSON.stringify(full) });
  expect(recordProblem(record)).toBeUndefined();
  expect(isPlainRecord(record)).toBe(true);
});

test("whatever passes, the schema accepts", () => {
  let refused = 0;
  for (const name of Object.keys(full)) {
    for (const junk of JUNK) {
      const record = { ...full, [name]: junk };
      if (recordProblem(record) === undefined) continue;
      refused++;
      expect(isPlainRecord(record), `${name}: ${String(junk)}`).toBe(false);
    }
  }
  for (const [name, value] of Object.entries(full)) {
    if (typeof value !== "object" || Array.isArray(value)) continue;
    for (const key of Object.keys(value)) {
      for (const junk of JUNK) {
        const record = { ...full, [name]: { ...value, [key]: junk } };
        if (recordProblem(record) === undefined) continue;
        refused++;
        expect(isPlainRecord(record), `${name}.${key}: ${String(junk)}`).toBe(false);
      }
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

test("what is no object does not pass", () => {
  for (const value of [...JUNK, [full]]) expect(isPlainRecord(value)).toBe(false);
});
