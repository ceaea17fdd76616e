import type { SpanMatches } from "@spanloom/model";
import { makeSpan, makeTrace, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { allowAll } from "./authorize.ts";
import { problemOf, serveSample, type TestServer } from "./handler.test-support.ts";

const SECRET = "the-secret-prompt";

const spans = [
  makeSpan({ spanId: "0000000000000001", name: "answer the caller", input: textContent(`please ${SECRET}`) }),
  makeSpan({ spanId: "0000000000000002", attributes: { "gen_ai.prompt": SECRET, region: "harbor" } }),
  makeSpan({
    spanId: "0000000000000003",
    events: [{ name: "said", time: "1795167000000000000", attributes: { text: SECRET, tone: "harbor" } }],
  }),
  makeSpan({ spanId: "0000000000000004", name: "harbor" }),
];

interface Answer {
  items: { span_id: string; hits: { place: string; key: string; snippet: string }[] }[];
  as_of_seq: number;
  next_cursor?: string;
  content_withheld?: true;
}

async function search(server: TestServer, params: Record<string, string>): Promise<Answer> {
  const response = await server.get(
    `/executions/${server.executionId}/search?${new URLSearchParams(params)}`,
  );
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const idsOf = ({ items }: Answer): number[] => items.map(({ span_id }) => Number.parseInt(span_id, 16));

describe("search", () => {
  test("says which spans match, and where", async () => {
    const server = await serveSample({}, spans);
    const found = await search(server, { text: "SECRET-prompt" });
    expect(idsOf(found)).toEqual([1, 2, 3]);
    expect(found.items[0]?.hits).toEqual([
      { place: "content", key: "input", snippet: expect.stringContaining(SECRET) },
    ]);
    expect(found).not.toHaveProperty("content_withheld");
    expect(idsOf(await search(server, { text: SECRET, places: "events,name" }))).toEqual([3]);
  });

  test("callers who may not see content find only what they can see, and are told so", async () => {
    const server = await serveSample({ authorize: allowAll({ content: false }) }, spans);
    const nothing = await search(server, { text: SECRET });
    expect(nothing).toEqual({ items: [], as_of_seq: expect.any(Number), content_withheld: true });
    expect(await search(server, { text: SECRET, places: "content" })).toEqual(nothing);
    expect(idsOf(await search(server, { text: "harbor" }))).toEqual([2, 3, 4]);
    expect(await search(server, { text: "harbor", places: "content" })).toEqual(nothing);
  });

  test("what they may not see changes neither pages nor cursors", async () => {
    const withSecret = await serveSample({ authorize: allowAll({ content: false }) }, spans);
    const clean = JSON.parse(JSON.stringify(spans).replaceAll(SECRET, "x")) as typeof spans;
    const without = await serveSample({ authorize: allowAll({ content: false }) }, clean);
    const asked: Record<string, string>[] = [
      { text: "the" },
      { text: "secret" },
      { text: "harbor", limit: "1" },
    ];
    for (const params of asked) {
      let cursor: string | undefined;
      do {
        const page = { ...params, ...(cursor !== undefined && { cursor }) };
        const answer = await search(withSecret, page);
        expect(answer).toEqual(await search(without, page));
        cursor = answer.next_cursor;
      } while (cursor !== undefined);
    }
  });

  test("pages go on where they ended, in the order of the trace", async () => {
    const many = makeTrace({ spans: 3_000 });
    const server = await serveSample({ authorize: allowAll({ content: false }) }, many);
    const whole = await serveSample({}, many);
    const expected = (await whole.store.searchSpans("made-1", { text: "e", places: ["name"], limit: 1_000 }))
      ?.items;
    const found: string[] = [];
    let cursor: string | undefined;
    let requests = 0;
    do {
      const answer = await search(server, {
        text: "e",
        places: "name",
        limit: "300",
        ...(cursor && { cursor }),
      });
      found.push(...answer.items.map(({ span_id }) => span_id));
      cursor = answer.next_cursor;
      requests++;
    } while (cursor !== undefined);
    expect(requests).toBeGreaterThan(1);
    expect(new Set(found).size).toBe(found.length);
    expect(found.slice(0, 1_000)).toEqual(expected?.map(({ spanId }) => spanId));
  });

  test("a search that finds little looks through a long trace in several requests", async () => {
    const server = await serveSample(
      { authorize: allowAll({ content: false }) },
      makeTrace({ spans: 3_000 }),
    );
    const first = await search(server, { text: "stands nowhere at all" });
    expect(first.items).toEqual([]);
    expect(first.next_cursor).toBeTypeOf("string");
    const second = await search(server, { text: "stands nowhere at all", cursor: first.next_cursor ?? "" });
    expect(second).toEqual({ items: [], as_of_seq: first.as_of_seq, content_withheld: true });
  });

  test.each([true, false])("what cannot be searched is a problem (content: %s)", async (content) => {
    const server = await serveSample({ authorize: allowAll({ content }) }, spans);
    const path = `/executions/${server.executionId}/search`;
    for (const query of [
      "",
      "?text=",
      `?text=${"x".repeat(501)}`,
      "?text=a&places=nowhere",
      "?text=a&limit=0",
    ]) {
      const response = await server.get(`${path}${query}`);
      expect(response.status, query).toBe(400);
      expect((await problemOf(response)).code).toBe("invalid_argument");
    }
    expect((await server.get("/executions/nobody/search?text=a")).status).toBe(404);
    expect((await server.get("/executions/nobody/search?text=a&places=content")).status).toBe(404);
  });

  test("a cursor of another search is refused", async () => {
    const server = await serveSample({ authorize: allowAll({ content: false }) }, spans);
    const { next_cursor = "" } = await search(server, { text: "harbor", limit: "1" });
    const others: Record<string, string>[] = [
      { text: "other", cursor: next_cursor },
      { text: "harbor", places: "name", cursor: next_cursor },
      { text: "harbor", cursor: "?" },
    ];
    for (const params of others) {
      const response = await server.get(
        `/executions/${server.executionId}/search?${new URLSearchParams(params)}`,
      );
      expect((await problemOf(response)).code).toBe("invalid_cursor");
    }
  });
});

describe("analytics", () => {
  test("the summary is the store's, in the words of the wire", async () => {
    const server = await serveSample();
    const response = await server.get(
      "/analytics/summary?days=400&time_zone=Europe%2FBerlin&group_by=node_type",
    );
    const wire = (await response.json()) as Record<string, unknown>;
    const inside = await server.store.getAnalytics({
      days: 400,
      timeZone: "Europe/Berlin",
      groupBy: "nodeType",
    });
    expect(wire).toMatchObject({
      time_zone: "Europe/Berlin",
      group_by: "node_type",
      total: { executions: { total: 1 }, latency: { count: inside.total.latency.count } },
    });
    expect((wire.groups as { key: string }[]).map(({ key }) => key)).toEqual(
      inside.groups.map(({ key }) => key),
    );
    expect(JSON.stringify(wire)).not.toContain("nano");
  });

  test.each(["days=0", "days=401", "group_by=hour", "last_day=2026-02-30", "time_zone=Nowhere%2FLand"])(
    "%s is refused",
    async (query) => {
      const response = await (await serveSample()).get(`/analytics/summary?${query}`);
      expect(response.status).toBe(400);
      await problemOf(response);
    },
  );

  test("authorize is asked about searching and about analytics", async () => {
    const actions: unknown[] = [];
    const server = await serveSample({
      authorize: (_, action) => {
        actions.push(action);
        return { status: 403 };
      },
    });
    expect((await server.get("/executions/e/search?text=a")).status).toBe(403);
    expect((await server.get("/analytics/summary")).status).toBe(403);
    expect(actions).toEqual([{ action: "trace.search", executionId: "e" }, { action: "analytics.read" }]);
  });
});

test("a store's own search is asked where content may be seen", async () => {
  const asked: unknown[] = [];
  const answer: SpanMatches = { items: [], asOfSeq: 7, nextCursor: "there" };
  const { store, executionId } = await serveSample();
  const scoped = Object.assign(Object.create(store), {
    searchSpans: async (...args: unknown[]) => {
      asked.push(args);
      return answer;
    },
  });
  const server = await serveSample({
    store: {
      name: "one",
      capabilities: store.capabilities,
      forScope: () => scoped,
      prune: async () => ({ executions: 0, spans: 0, more: false }),
      close: async () => {},
    },
  });
  const found = await search(
    { ...server, executionId },
    { text: "a b", places: "name,content", limit: "3", cursor: "c" },
  );
  expect(found).toEqual({ items: [], as_of_seq: 7, next_cursor: "there" });
  expect(asked).toEqual([[executionId, { text: "a b", places: ["name", "content"], limit: 3, cursor: "c" }]]);
});
