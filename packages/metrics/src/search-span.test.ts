import type { SearchSpansQuery } from "@spanloom/model";
import { jsonContent, makeSpan, textContent } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createSpanSearch } from "./search-span.ts";

const span = makeSpan({
  name: "Read the invoice",
  agent: "Clerk",
  status: { code: "error", message: "Vendor HARBOR is unknown" },
  attributes: {
    "host.vendor": "harbor",
    nested: { deep: [{ "vendor-id": 'say "harbor"' }] },
    big: { $int: "9007199254740993" },
  },
  events: [{ name: "retry", time: "1", attributes: { reason: "harbor was slow" } }],
  input: {
    format: "messages",
    state: "captured",
    messages: [
      {
        role: "user",
        parts: [
          { type: "text", content: "Who is Harbor?" },
          { type: "tool_call", name: "find", arguments: { q: ["harbor"] } },
        ],
      },
    ],
  },
  output: textContent("A harbor."),
  stateAfter: jsonContent({ vendor: { name: "Harbor" } }),
});

const search = (query: SearchSpansQuery) =>
  createSpanSearch(query)(span).map(({ place, key }) => `${place} ${key}`);

test("finds text at every place, whatever its case, each key once and five at most", () => {
  expect(search({ text: "hArBoR" })).toEqual([
    "name status",
    "attributes host.vendor",
    "attributes nested",
    "events retry",
    "content input",
  ]);
  expect(search({ text: "harbor", places: ["content"] })).toEqual([
    "content input",
    "content output",
    "content stateAfter",
  ]);
  expect(search({ text: "clerk" })).toEqual(["name agent"]);
});

test("looks nowhere else, and finds keys, nested quotes and great numbers as they are shown", () => {
  expect(search({ text: "harbor", places: ["name"] })).toEqual(["name status"]);
  expect(search({ text: "vendor-id" })).toEqual(["attributes nested"]);
  expect(search({ text: 'say "harbor"' })).toEqual(["attributes nested"]);
  expect(search({ text: "9007199254740993" })).toEqual(["attributes big"]);
  expect(search({ text: "elsewhere" })).toEqual([]);
});

test("a snippet shows what stands around, marks what is cut, and never half a letter", () => {
  const long = makeSpan({ name: `${"😀".repeat(50)}needle${"x".repeat(50)}` });
  const [hit] = createSpanSearch({ text: "needle" })(long);
  expect(hit?.snippet).toBe(`…${"😀".repeat(20)}needle${"x".repeat(40)}…`);
  const [odd] = createSpanSearch({ text: "needle" })(makeSpan({ name: `${"😀".repeat(30)}y needle` }));
  expect(odd?.snippet).not.toMatch(/\p{Surrogate}/u);
  const [turkish] = createSpanSearch({ text: "needle" })(makeSpan({ name: "İİİ needle" }));
  expect(turkish?.snippet).toContain("needle");
});

test("a state that is nested a thousand levels deep is searched to its end", () => {
  const deep = JSON.parse(`${'{"a":'.repeat(1000)}"needle"${"}".repeat(1000)}`);
  const [hit] = createSpanSearch({ text: "needle" })(makeSpan({ stateAfter: jsonContent(deep) }));
  expect(hit?.key).toBe("stateAfter");
});

test("refuses a text and places that cannot be searched", () => {
  for (const query of [
    { text: "" },
    { text: "x".repeat(501) },
    { text: "x", places: [] },
    { text: "x", places: ["nowhere"] },
  ]) {
    expect(() => createSpanSearch(query as SearchSpansQuery)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});
