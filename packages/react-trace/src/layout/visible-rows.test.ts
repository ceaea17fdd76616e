import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { buildTraceModel, type TraceNode } from "./trace-model.ts";
import {
  collapsibleKeys,
  keepSpans,
  openState,
  revealed,
  rowOfIndex,
  rowShowing,
  siblingPlaces,
  visibleRows,
} from "./visible-rows.ts";

/** root > (a > (a1, a2!), b (llm), c > c1! (llm)) */
const model = buildTraceModel([
  span("root"),
  span("a", "root"),
  span("a1", "a"),
  span("a2", "a", { status: { code: "error" } }),
  span("b", "root", { kind: "llm" }),
  span("c", "root"),
  span("c1", "c", { kind: "llm", status: { code: "error" } }),
]);
const open = new Set<string>();

function span(name: string, parent?: string, fields = {}): ReturnType<typeof makeSpan> {
  const spanId = (text: string): string => Buffer.from(text).toString("hex").padEnd(16, "0");
  return makeSpan({
    name,
    spanId: spanId(name),
    ...(parent !== undefined && { parentSpanId: spanId(parent) }),
    ...fields,
  });
}

const index = (name: string): number => model.nodes.findIndex((node) => node.span.name === name);
const key = (name: string): string => (model.nodes[index(name)] as TraceNode).key;
const names = (rows: Int32Array): string[] => Array.from(rows, (at) => model.nodes[at]?.span.name ?? "");

describe("visibleRows", () => {
  test("shows all, in order", () => {
    expect(names(visibleRows(model, open, undefined))).toEqual(["root", "a", "a1", "a2", "b", "c", "c1"]);
  });

  test("hides what a collapsed span holds", () => {
    expect(names(visibleRows(model, new Set([key("a")]), undefined))).toEqual(["root", "a", "b", "c", "c1"]);
    expect(names(visibleRows(model, collapsibleKeys(model), undefined))).toEqual(["root"]);
  });

  test("toggles narrow together, and ancestors stay as context", () => {
    const errors = keepSpans(model, { errorsOnly: true, aiOnly: false });
    expect(names(visibleRows(model, open, errors))).toEqual(["root", "a", "a2", "c", "c1"]);
    expect(errors?.matchCount).toBe(2);
    const both = keepSpans(model, { errorsOnly: true, aiOnly: true });
    expect(names(visibleRows(model, open, both))).toEqual(["root", "c", "c1"]);
    expect(keepSpans(model, { errorsOnly: false, aiOnly: false })).toBeUndefined();
  });

  test("says what can be opened, under a filter too", () => {
    const ai = keepSpans(model, { errorsOnly: false, aiOnly: true });
    expect(openState(model, index("a"), open, undefined)).toBe(true);
    expect(openState(model, index("a"), new Set([key("a")]), undefined)).toBe(false);
    expect(openState(model, index("b"), open, undefined)).toBeUndefined();
    expect(openState(model, index("root"), open, ai)).toBe(true);
  });

  test("counts siblings as they are shown", () => {
    const all = siblingPlaces(model, undefined);
    expect([all.position[index("c")], all.setSize[index("c")]]).toEqual([3, 3]);
    const errors = siblingPlaces(model, keepSpans(model, { errorsOnly: true, aiOnly: false }));
    expect([errors.position[index("c")], errors.setSize[index("c")]]).toEqual([2, 2]);
  });

  test("finds rows, and the row that hides a span", () => {
    const rows = visibleRows(model, new Set([key("a")]), undefined);
    expect(rowOfIndex(rows, index("b"))).toBe(2);
    expect(rowOfIndex(rows, index("a2"))).toBe(-1);
    expect(rowShowing(model, rows, index("a2"))).toBe(1);
  });

  test("reveals a span by opening its ancestors alone", () => {
    const collapsed = collapsibleKeys(model);
    expect([...revealed(model, collapsed, index("a2"))]).toEqual([key("c")]);
    expect(revealed(model, open, index("a2"))).toBe(open);
  });
});
