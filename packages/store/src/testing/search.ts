import type { SearchPlace, SearchSpansQuery, SpanMatch, SpanRecord } from "@spanloom/model";
import { jsonContent, makeTrace, textContent } from "@spanloom/model/fixtures";
import { equal, ok, present, rejects } from "./assert.ts";
import { everyPlace, PLACED } from "./every-place.ts";
import { Expected } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { at, root, span, TRACE } from "./spans.ts";

/** Finding a text in the spans of one execution. */
export function search({ test }: Chapter): void {
  test("each place is searched, and says which field held the text", async (opened) => {
    const { store, expected } = await written(opened.forScope("scope"), everyPlace());
    for (const [text, place, key] of PLACED) {
      const items = await readMatches(store, "run-1", { text });
      equal(
        items.flatMap(({ hits }) => hits.map((hit) => [hit.place, hit.key])),
        [[place, key]],
        `where "${text}" stands`,
      );
      equal(items, expected.search("run-1", { text }), `the matches of "${text}"`);
    }
  });

  test("a text is found in the places asked for and in no other", async (opened) => {
    const { store, expected } = await written(opened.forScope("scope"), everyPlace());
    const places: SearchPlace[] = ["name", "attributes", "events", "content"];
    for (const [text, place] of PLACED) {
      for (const asked of places) {
        const found = await readMatches(store, "run-1", { text, places: [asked] });
        equal(found.length, asked === place ? 1 : 0, `matches of "${text}" in ${asked}`);
      }
      const others = places.filter((one) => one !== place);
      equal(await readMatches(store, "run-1", { text, places: others }), [], `"${text}" in ${others.join()}`);
    }
    const mixed: SearchSpansQuery = { text: "e", places: ["content", "name"] };
    equal(await readMatches(store, "run-1", mixed), expected.search("run-1", mixed), "two places");
  });

  test("what only the record's form says is no text: keys of fields, states, ids, times", async (opened) => {
    const { store } = await written(opened.forScope("scope"), everyPlace());
    const forms = ["captured", "format", "parentSpanId", "traceId", TRACE, "instrumentation", "startTime"];
    for (const text of [...forms, "schemaVersion", '":', '","', "{", "spanloom-fixtures", "service.name"]) {
      equal(await readMatches(store, "run-1", { text }), [], `matches of ${text}`);
    }
  });

  test("text is found as it stands: quotes, line breaks, backslashes, wildcards, code", async (opened) => {
    const { store, expected } = await written(opened.forScope("scope"), [
      span(1, undefined, { output: textContent('He said "no\\yes"\nand left.\tC:\\temp\\n') }),
      span(2, 1, { attributes: { share: "50%", file: "a_b*c?.txt", nul: "x\u0000y", html: "<b>&amp;</b>" } }),
      span(3, 1, { input: jsonContent({ 'quoted "key"': "it's; DROP TABLE span; --", regex: "^(a|b)+$" }) }),
      span(4, 1, { name: "axbxc and 50 of 100", output: textContent("he said no and left") }),
    ]);
    const texts = [
      ...['"no', "\\yes", 'no\\yes"\nand', "\nand", "\tC", "\\temp", "\\n", '\\"', "\\u0000", "x\u0000y"],
      ...["%", "50%", "_", "a_b", "*", "a_b*c?", ".", "a.b", "&amp;", "<B>", '"KEY"', "'; drop table"],
      ...["^(a|b)+$", "(", "[", "?", " ", "NOT found", "no OR yes", '"', "'", "--", "\\"],
    ];
    for (const text of texts) {
      equal(
        await readMatches(store, "run-1", { text }),
        expected.search("run-1", { text }),
        `the matches of ${JSON.stringify(text)}`,
      );
    }
    equal((await readMatches(store, "run-1", { text: "\nand" })).length, 1, "a line break that is there");
    equal(await readMatches(store, "run-1", { text: "a.b" }), [], "a dot that would stand for any letter");
  });

  test("case does not count, in any script; letters and their normal forms do", async (opened) => {
    const names = [
      ...["ÉCLAIR", "e\u0301clair", "straße", "STRASSE", "İstanbul", "istanbul", "ΣΊΣΥΦΟΣ", "сорок ДВА"],
      ...["日本語テキスト", "👩‍👩‍👧‍👦 family", "ﬁle", "file", "ǅ", "\u202ertl", "lone \ud800 surrogate"],
    ];
    const { store, expected } = await written(
      opened.forScope("scope"),
      names.map((name, index) => span(index + 1, undefined, { name, output: textContent(`<${name}>`) })),
    );
    const texts = [
      ...names.filter((name) => !name.includes("\ud800")),
      "éclair",
      "Strasse",
      "İ",
      "i",
      "σίσυφος",
    ];
    for (const text of [...texts, "СОРОК два", "本語", "👧", "FILE", "ǆ", "surrogate"]) {
      for (const places of [undefined, ["name"], ["content"]] as const) {
        const query = { text, ...(places && { places: [...places] }) };
        const wanted = expected.search("run-1", query);
        equal(
          await readMatches(store, "run-1", query),
          wanted,
          `the matches of ${text} in ${places ?? "all"}`,
        );
      }
    }
    equal(
      (await readMatches(store, "run-1", { text: "éclair" })).length,
      1,
      "É as é, but not as e and an accent",
    );
  });

  test("a span shows at most five hits, each with what stands around it", async (opened) => {
    const long = `${"before ".repeat(30)}NEEDLE${" after".repeat(30)}`;
    const attributes = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`key ${index}`, long]));
    const { store, expected } = await written(opened.forScope("scope"), [
      span(1, undefined, { attributes, output: textContent(long) }),
      span(2, 1, { name: "needle", output: textContent("needle needle") }),
    ]);
    const items = await readMatches(store, "run-1", { text: "needle" });
    equal(
      items.map(({ hits }) => hits.length),
      [5, 2],
      "hits of each span",
    );
    const snippet = items[0]?.hits[0]?.snippet ?? "";
    ok(snippet.startsWith("…") && snippet.endsWith("…"), `the cut ends of "${snippet}" are not marked`);
    equal(snippet.length, 88, `characters of "${snippet}"`);
    equal(items, expected.search("run-1", { text: "needle" }), "the matches");
  });

  test("pages of any size join, in the order of the trace", async (opened) => {
    const spans = makeTrace({ spans: 400, executionId: "run-1", seed: 3 });
    const { store, expected } = await written(opened.forScope("scope"), spans.toReversed());
    for (const text of ["order", "chat lumen", "zzz"]) {
      const wanted = expected.search("run-1", { text });
      for (const limit of [1, 7, 200, 1_000, undefined]) {
        const query = { text, ...(limit !== undefined && { limit }) };
        equal(await readMatches(store, "run-1", query), wanted, `pages of ${limit} with "${text}"`);
      }
    }
  });

  test("a search is of one commit: what comes meanwhile is in none of its pages", async (opened) => {
    const found = [1, 2, 3, 4, 5, 6].map((number) =>
      span(number, number > 1 ? 1 : undefined, { output: textContent("needle") }),
    );
    const { store } = await written(opened.forScope("scope"), found);
    const first = present(await store.searchSpans("run-1", { text: "needle", limit: 2 }), "the matches");
    const ids = first.items.map((item) => item.spanId);
    let cursor = first.nextCursor;
    for (let round = 0; cursor !== undefined && round < 50; round++) {
      await store.write([
        span(20 + round, 1, { startTime: at(0.1), name: "needle" }),
        span(80 + round, undefined, { startTime: at(0.2), name: "needle" }),
        span(140 + round, 6, { name: "needle" }),
      ]);
      const page = present(await store.searchSpans("run-1", { text: "needle", limit: 2, cursor }), "a page");
      equal(page.asOfSeq, first.asOfSeq, "the commit of a page");
      ids.push(...page.items.map((item) => item.spanId));
      cursor = page.nextCursor;
    }
    equal(
      ids,
      found.map((one) => one.spanId),
      "the pages joined",
    );
    const now = present(await store.searchSpans("run-1", { text: "needle" }), "a new search");
    ok(now.items.length > found.length && now.asOfSeq > first.asOfSeq, "a new search finds what came");
  });

  test("only the state that is kept is searched, under the execution that has it now", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([span(1, undefined, { executionId: TRACE, output: textContent("first words") })]);
    equal((await readMatches(store, TRACE, { text: "first" })).length, 1, "matches before");
    await store.write([
      span(1, undefined, { executionId: TRACE, output: textContent("second words"), revision: 1 }),
      root("run-1", 2, { traceId: TRACE }),
    ]);
    equal(await readMatches(store, "run-1", { text: "first" }), [], "the text that was replaced");
    equal((await readMatches(store, "run-1", { text: "second" })).length, 1, "the text that is there");
    equal(await store.searchSpans(TRACE, { text: "second" }), undefined, "the execution it left");
    equal(await store.searchSpans("run-9", { text: "second" }), undefined, "an execution that never was");
  });

  test("texts, places and limits that are none are refused; the longest text is not", async (opened) => {
    const { store } = await written(opened.forScope("scope"), [
      span(1, undefined, { name: "x".repeat(600) }),
    ]);
    const bad: [name: string, query: unknown][] = [
      ["no text", { text: "" }],
      ["a text of 501", { text: "x".repeat(501) }],
      ["a number", { text: 7 }],
      ["no place", { text: "x", places: [] }],
      ["an unknown place", { text: "x", places: ["name", "attic"] }],
      ...[0, -1, 1.5, Number.NaN, 1_001].map((limit): [string, unknown] => [
        `limit ${limit}`,
        { text: "x", limit },
      ]),
    ];
    for (const [name, query] of bad) {
      await rejects(() => store.searchSpans("run-1", query as SearchSpansQuery), "invalid_argument", name);
    }
    equal((await readMatches(store, "run-1", { text: "X".repeat(500) })).length, 1, "a text of 500");
  });

  test("a cursor belongs to its question", async (opened) => {
    const store = opened.forScope("scope");
    const spans = [1, 2, 3, 4].map((number) => span(number));
    await store.write([
      ...spans,
      ...spans.map((one) => ({ ...one, executionId: "run-2", traceId: "c".repeat(32) })),
    ]);
    const { nextCursor } = present(
      await store.searchSpans("run-1", { text: "span", limit: 1 }),
      "the matches",
    );
    const cursor = present(nextCursor, "the cursor");
    const page = present((await store.getTrace("run-1", { limit: 1 }))?.nextCursor, "a trace cursor");
    const others: [string, SearchSpansQuery][] = [
      ["run-1", { text: "spa", cursor }],
      ["run-1", { text: "span", places: ["name"], cursor }],
      ["run-2", { text: "span", cursor }],
      ...["", "x", "%%%", cursor.slice(0, -3), page, btoa("[1,2,3,4]"), "9".repeat(3_000)].map(
        (bad): [string, SearchSpansQuery] => ["run-1", { text: "span", cursor: bad }],
      ),
    ];
    for (const [id, query] of others) {
      const what = `the cursor with ${JSON.stringify({ id, ...query }).slice(0, 100)}`;
      await rejects(() => store.searchSpans(id, query), "invalid_cursor", what);
    }
    const rest = await store.searchSpans("run-1", { text: "span", cursor, limit: 9 });
    equal(rest?.items.length, 3, "another limit is the same question");
  });
}

async function written(
  store: TestedStore,
  records: SpanRecord[],
): Promise<{ store: TestedStore; expected: Expected }> {
  const expected = new Expected();
  equal((await store.write(records)).rejected, [], "rejected records");
  expected.add(records);
  return { store, expected };
}

/** All pages of a search, joined. */
export async function readMatches(
  store: TestedStore,
  executionId: string,
  query: SearchSpansQuery,
): Promise<SpanMatch[]> {
  const items: SpanMatch[] = [];
  let asOfSeq: number | undefined;
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = present(
      await store.searchSpans(executionId, { ...query, ...(cursor && { cursor }) }),
      "a page",
    );
    ok(page.items.length <= (query.limit ?? 200), `a page has ${page.items.length} matches`);
    equal(page.asOfSeq, asOfSeq ?? page.asOfSeq, "the commit of a page");
    asOfSeq = page.asOfSeq;
    items.push(...page.items);
    cursor = page.nextCursor;
    ok(++pages < 5_000, "the search does not end");
  } while (cursor !== undefined);
  return items;
}
