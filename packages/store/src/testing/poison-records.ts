import type { JsonValue, SpanRecord } from "@spanloom/model";
import { jsonContent, messagesContent, textContent } from "@spanloom/model/fixtures";
import { at, call, span, spanIdOf, traceIdOf } from "./spans.ts";

/** A record that cannot be stored. */
export interface Poison {
  name: string;
  /** The field that is wrong; absent where the whole is no record. */
  field?: string;
  record: unknown;
}

/** One poison for every way in which a field can be wrong, each a sound record but for that field. JSON can hold them. */
export function poisonRecords(): Poison[] {
  const whole: Poison[] = [null, "span", 7, true, [], {}, [span(1)]].map((record) => ({
    name: JSON.stringify(record).slice(0, 20),
    record,
  }));
  const fields = Object.entries(WRONG).flatMap(([path, values]) =>
    values.map((value): Poison => {
      const record = jsonCopy(FULL);
      put(record, path.split("."), value);
      const shown = JSON.stringify(value)?.slice(0, 40) ?? "nothing";
      return { name: `${path}: ${shown}`, field: path.split(".")[0] ?? "", record };
    }),
  );
  const { endTime, ...running } = FULL;
  const unended = { ...running, syntheticEnd: "timed_out" };
  return [
    ...whole,
    ...fields,
    { name: "a synthetic end without an end", field: "syntheticEnd", record: unended },
  ];
}

/** The same for what only a program can hold. */
export function unspeakableRecords(): Poison[] {
  const values: [string, unknown][] = [
    ["a number that is none", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a bigint", 7n],
    ["a function", () => 7],
    ["a symbol", Symbol("seven")],
    ["a date", new Date(7)],
    ["a map", new Map([["seven", 7]])],
    ["nothing", undefined],
    ["itself", FULL],
  ];
  const attributes = values.map(([name, value]): Poison => {
    const record = jsonCopy(FULL);
    Reflect.set(record.attributes, "deep", name === "itself" ? [record.attributes] : [{ value }]);
    return { name, field: "attributes", record };
  });
  const throwing = Object.defineProperty(jsonCopy(FULL), "name", {
    enumerable: true,
    get: () => {
      throw new Error("the record's own");
    },
  });
  return [...attributes, { name: "a getter that throws", record: throwing }];
}

/** A record with every field that there is. */
export const FULL: SpanRecord = call(900, 901, 5, {
  workflowId: "workflow-1",
  workflowName: "Workflow 1",
  threadId: "thread-1",
  executionStatus: "completed",
  nodeId: "n",
  nodeType: "agent",
  attempt: 1,
  agent: "agent",
  firstTokenTime: at(900.5),
  status: { code: "error", message: "failed" },
  cost: { nanoUsd: 5, source: "computed", priceVersion: "1", parts: { input: 5, fee: 0 } },
  attributes: { plain: "text" },
  events: [{ name: "event", time: at(900), attributes: {}, droppedAttributes: 0 }],
  links: [{ traceId: traceIdOf(2), spanId: spanIdOf(2), traceState: "a=b", flags: 1, attributes: {} }],
  finishReasons: ["stop"],
  input: textContent("hello"),
  output: messagesContent({ role: "assistant", parts: [{ type: "text", content: "hello" }] }),
  stateBefore: jsonContent({ a: 1 }),
  artifacts: [{ artifactId: "file", name: "file.txt", mediaType: "text/plain", sizeBytes: 1, hash: "00" }],
  cache: [{ keyspace: "a:*", hits: 1, misses: 1 }],
  traceState: "a=b",
  flags: 1,
  dropped: { attributes: 1, events: 1, links: 1 },
  redactions: [{ rule: "mail", count: 1 }],
  provenance: { model: { dialect: "gen_ai", key: "model" } },
});

/** `depth` levels of lists and objects. */
export function nested(depth: number): JsonValue {
  let value: JsonValue = "bottom";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { level: value };
  return value;
}

const NO_TEXT = [7, null, {}];
const NO_ID = [...NO_TEXT, "", ".", "..", "x".repeat(201)];
const NO_COUNT = [-1, 1.5, "1", null, 2 ** 53];
const NO_TIME = ["", "-5", "1.5", "2026-11-20T09:30:00Z", "9223372036854775808", 1_795_167_000_000, null];
const NO_ATTRIBUTES = ["a=b", null, [], 7, { deep: nested(150) }];
const NO_TRACE = ["abc", "0".repeat(32), "A".repeat(32), "a".repeat(33), 7, null];
const NO_SPAN = ["abc", "0".repeat(16), "ABCDEF0123456789", "../../etc/passwd", 7, null];
const NO_LIST = ["x", {}, 7, null];

/** By path: values that the field cannot have. A missing one is `undefined`. */
const WRONG: Record<string, unknown[]> = {
  traceId: [...NO_TRACE, undefined],
  spanId: [...NO_SPAN, undefined],
  parentSpanId: NO_SPAN,
  executionId: [...NO_ID, undefined],
  workflowId: NO_ID,
  workflowName: NO_TEXT,
  threadId: NO_ID,
  executionStatus: ["done", ...NO_TEXT],
  name: [...NO_TEXT, undefined],
  kind: ["banana", ...NO_TEXT, undefined],
  otelKind: ["banana", ...NO_TEXT, undefined],
  nodeId: NO_ID,
  nodeType: NO_TEXT,
  attempt: [0, ...NO_COUNT],
  agent: NO_TEXT,
  startTime: [...NO_TIME, undefined],
  endTime: NO_TIME,
  syntheticEnd: ["gone", ...NO_TEXT],
  firstTokenTime: NO_TIME,
  status: ["ok", 7, null, {}, undefined],
  "status.code": ["fine", 7, undefined],
  "status.message": NO_TEXT,
  usage: ["5", 7, null],
  "usage.input": NO_COUNT,
  "usage.output": NO_COUNT,
  "usage.cachedInput": NO_COUNT,
  "usage.cacheWrite": NO_COUNT,
  "usage.reasoning": NO_COUNT,
  "usage.total": NO_COUNT,
  "usage.subtotal": [false, "yes"],
  cost: ["5", 7, null, {}],
  "cost.nanoUsd": [...NO_COUNT, 0.1, undefined],
  "cost.source": ["guessed", 7, undefined],
  "cost.priceVersion": NO_TEXT,
  "cost.parts": ["5", 7],
  "cost.parts.fee": NO_COUNT,
  model: NO_TEXT,
  provider: NO_TEXT,
  artifacts: [...NO_LIST, ["file"], [{}]],
  "artifacts.0.artifactId": NO_ID,
  "artifacts.0.name": NO_TEXT,
  "artifacts.0.sizeBytes": NO_COUNT,
  revision: [...NO_COUNT, undefined],
  attributes: [...NO_ATTRIBUTES, undefined],
  events: [...NO_LIST, ["event"], [{}], undefined],
  "events.0.name": NO_TEXT,
  "events.0.time": NO_TIME,
  "events.0.attributes": NO_ATTRIBUTES,
  "events.0.droppedAttributes": NO_COUNT,
  links: [...NO_LIST, [{}], undefined],
  "links.0.traceId": NO_TRACE,
  "links.0.spanId": NO_SPAN,
  "links.0.attributes": NO_ATTRIBUTES,
  "links.0.flags": NO_COUNT,
  finishReasons: [...NO_LIST, [7]],
  input: ["hello", 7, null, {}, { format: "text" }, { format: "smoke", state: "captured" }],
  "input.state": ["seen", 7, undefined],
  "input.text": NO_TEXT,
  "input.length": NO_COUNT,
  "input.hash": NO_TEXT,
  "input.redactions": [...NO_LIST, [{ rule: "mail" }]],
  "output.messages": [...NO_LIST, [{}], [{ role: "user" }], [{ role: "user", parts: [{ type: "banana" }] }]],
  "output.messages.0.parts": ["hello", [7], [{ type: "tool_call", arguments: nested(150) }]],
  "stateBefore.json": [nested(150)],
  stateAfter: ["hello", 7],
  cache: [...NO_LIST, [{}]],
  "cache.0.keyspace": NO_TEXT,
  "cache.0.hits": NO_COUNT,
  resource: ["studio", 7, null, {}, undefined],
  "resource.attributes": NO_ATTRIBUTES,
  "resource.schemaUrl": NO_TEXT,
  instrumentation: ["studio", 7, null, {}, undefined],
  "instrumentation.name": [...NO_TEXT, undefined],
  "instrumentation.attributes": NO_ATTRIBUTES,
  traceState: NO_TEXT,
  flags: NO_COUNT,
  "dropped.attributes": NO_COUNT,
  redactions: [...NO_LIST, [{ count: 1 }]],
  provenance: ["gen_ai", 7, { model: "gen_ai" }],
  schemaVersion: [99, ...NO_COUNT, undefined],
};

function put(target: object, path: readonly string[], value: unknown): void {
  const [key = "", ...rest] = path;
  if (rest.length > 0) put(Reflect.get(target, key), rest, value);
  else if (value === undefined) Reflect.deleteProperty(target, key);
  else Reflect.set(target, key, value);
}

/** What `structuredClone` makes under Jest belongs to another realm, where objects are not plain ones. */
export function jsonCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
