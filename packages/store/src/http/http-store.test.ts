import type { TraceChanges } from "@spanloom/model";
import { makeSpan, makeTrace, runningTrace, sampleTrace } from "@spanloom/model/fixtures";
import { allowAll } from "@spanloom/server";
import { describe, expect, test } from "vitest";
import { codeOf, connect, type Fetch, firstAnswer } from "./http-store.test-support.ts";

const trace = sampleTrace();
const executionId = trace[0]?.executionId ?? "";

describe("reads", () => {
  test("a relative base URL, with or without a slash at its end, is enough", async () => {
    const { client, sent } = connect({ basePath: "/api", client: { baseUrl: "/api/" } });
    expect(await client.listExecutions()).toEqual({ items: [] });
    expect(sent).toEqual(["/api/executions"]);
  });

  test("what is not there is undefined, also ids that no path can carry", async () => {
    const { client } = connect({ basePath: "/api" });
    for (const id of ["nobody", "", ".", "..", "\ud800", "x".repeat(300)]) {
      expect(await client.getExecution(id), id).toBeUndefined();
      expect(await client.getTrace(id), id).toBeUndefined();
      expect(await client.getSpan(id, id), id).toBeUndefined();
      expect(await client.changesSince(id, 0), id).toBeUndefined();
      expect(await client.getRunMetrics(id), id).toBeUndefined();
    }
    expect(await client.getExecutions([".", "nobody"])).toEqual([]);
  });

  test("hundreds of long ids are asked for in several requests and come in order", async () => {
    const { client, inner, sent } = connect({ basePath: "/api" });
    const ids = Array.from({ length: 300 }, (_, index) => `run ключ ${"é".repeat(20)} ${index}`);
    await inner.write(
      ids.map((id, index) => makeSpan({ executionId: id, traceId: String(index + 1).padStart(32, "0") })),
    );
    const summaries = await client.getExecutions(ids.toReversed());
    expect(summaries.map((summary) => summary.executionId)).toEqual(ids.toReversed());
    expect(sent.length).toBeGreaterThan(1);
    for (const url of sent) expect(url.length).toBeLessThan(8_000);
    expect(await codeOf(client.getExecutions(new Array(501).fill("x")))).toBe("limit_exceeded");
  });

  test("sums beyond the safe integers do not cost a reader the list", async () => {
    const { client, inner } = connect({ basePath: "/api" });
    const usage = { input: Number.MAX_SAFE_INTEGER };
    const cost = { nanoUsd: Number.MAX_SAFE_INTEGER, source: "reported" as const };
    const ids = ["0000000000000001", "0000000000000002", "0000000000000003"];
    await inner.write(ids.map((spanId) => makeSpan({ spanId, kind: "llm", usage, cost })));
    const { items } = await client.listExecutions();
    expect(items[0]?.usage.input).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(items[0]?.cost.nanoUsd).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  test("an answer that is still good is not sent again, and every caller gets its own", async () => {
    const statuses: number[] = [];
    const { client, inner } = connect({
      basePath: "/api",
      around: (send) => async (url, init) => {
        const response = await send(url, init);
        statuses.push(response.status);
        return response;
      },
    });
    await inner.write(trace);
    const first = await client.getTrace(executionId);
    first?.spans.pop();
    const second = await client.getTrace(executionId);
    expect(second?.spans).toHaveLength(trace.length);
    await inner.write([
      makeSpan({ executionId, traceId: trace[0]?.traceId ?? "", spanId: "00000000000000ab" }),
    ]);
    expect((await client.getTrace(executionId))?.spans).toHaveLength(trace.length + 1);
    expect(statuses).toEqual([200, 304, 200]);
  });

  test("headers are asked for before each request", async () => {
    let token = 0;
    const seen: (string | null)[] = [];
    const { client } = connect({
      basePath: "/api",
      authorize: (request) => {
        seen.push(request.headers.get("authorization"));
        return { scope: "default", roles: ["op"], content: true };
      },
      client: { headers: async () => ({ authorization: `Bearer ${++token}` }) },
    });
    await client.getConfig();
    await client.write([]);
    await client.listExecutions();
    expect(seen).toEqual(["Bearer 1", "Bearer 2"]);
  });

  test("its config has the caller's roles", async () => {
    const { client } = connect({
      basePath: "/api",
      authorize: allowAll({ roles: ["auditor"], content: false }),
    });
    expect(await client.getConfig()).toEqual({ roles: ["auditor"], contentPermitted: false });
  });
});

describe("search and analytics", () => {
  test("come through as the store gives them", async () => {
    const { client, inner } = connect({ basePath: "/api" });
    await inner.write([...trace, ...makeTrace({ spans: 300 })]);
    for (const query of [
      { text: "a" },
      { text: "A ö%&+", places: ["name" as const] },
      { text: "a", limit: 7 },
    ]) {
      const found = await client.searchSpans("made-1", query);
      expect(found).toEqual(await inner.searchSpans("made-1", query));
      if (found?.nextCursor === undefined) continue;
      const next = { ...query, cursor: found.nextCursor };
      expect(await client.searchSpans("made-1", next)).toEqual(await inner.searchSpans("made-1", next));
    }
    for (const groupBy of [undefined, "day", "workflow", "nodeType", "model"] as const) {
      const query = { days: 400, timeZone: "Asia/Kathmandu", ...(groupBy && { groupBy }) };
      expect(await client.getAnalytics(query)).toEqual(await inner.getAnalytics(query));
    }
    expect(await client.searchSpans("nobody", { text: "a" })).toBeUndefined();
    expect(await client.searchSpans("..", { text: "a" })).toBeUndefined();
  });

  test("tell when content was not looked at, and refuse what cannot be asked", async () => {
    const { client, inner } = connect({ basePath: "/api", authorize: allowAll({ content: false }) });
    await inner.write(trace);
    expect(await client.searchSpans(executionId, { text: "a", limit: 1 })).toMatchObject({
      contentWithheld: true,
    });
    expect(await codeOf(client.searchSpans(executionId, { text: "" }))).toBe("invalid_argument");
    expect(await codeOf(client.getAnalytics({ days: 1, timeZone: "Nowhere/Land" }))).toBe(
      "invalid_time_zone",
    );
  });
});

describe("failures", () => {
  test.each([
    [401, "unauthenticated"],
    [403, "not_permitted"],
  ] as const)("a refusal with %i is the error %s", async (status, expected) => {
    const { client } = connect({ basePath: "/api", authorize: () => ({ status }) });
    expect(await codeOf(client.getTrace(executionId))).toBe(expected);
    expect(await codeOf(client.write(trace))).toBe(expected);
    expect(
      await codeOf(
        client.follow(executionId, 0, new AbortController().signal)[Symbol.asyncIterator]().next(),
      ),
    ).toBe(expected);
  });

  test.each<[string, () => Response | Promise<Response>]>([
    ["a network error", () => Promise.reject(new TypeError("fetch failed"))],
    ["a 503 with Retry-After", () => new Response("busy", { status: 503, headers: { "retry-after": "0" } })],
    [
      "a proxy's 502",
      () => new Response("<html>bad gateway", { status: 502, headers: { "retry-after": "0" } }),
    ],
  ])("a read is tried again after %s", async (_, answer) => {
    const { client } = connect({ basePath: "/api", around: firstAnswer(answer) });
    expect(await client.listExecutions()).toEqual({ items: [] });
  });

  test("a read gives up after three tries, and at once where the server asks for long patience", async () => {
    let tries = 0;
    const failing = (retryAfter: string) => () => () => {
      tries++;
      return Promise.resolve(new Response("busy", { status: 503, headers: { "retry-after": retryAfter } }));
    };
    expect(await codeOf(connect({ around: failing("0") }).client.listExecutions())).toBe("network_failed");
    expect(tries).toBe(3);
    expect(await codeOf(connect({ around: failing("3600") }).client.listExecutions())).toBe("network_failed");
    expect(tries).toBe(4);
  });

  test.each([
    ["a page with status 404", 404],
    ["a page with status 200", 200],
  ])("%s is no Spanloom server, not an empty store", async (_, status) => {
    const around = firstAnswer(
      () => new Response("<!doctype html>", { status, headers: { "content-type": "text/html" } }),
    );
    const { client } = connect({ basePath: "/api", around });
    await expect(client.getTrace(executionId)).rejects.toThrow(
      /No Spanloom server answered.*Check the base URL/,
    );
  });

  test("a server without the route says so, instead of an unknown id", async () => {
    const { client } = connect({ basePath: "/elsewhere" });
    expect(await codeOf(client.getTrace(executionId))).toBe("not_supported");
  });

  test("JSON of another shape names the field at fault", async () => {
    const around = firstAnswer(() => Response.json({ items: [{ execution_id: 7 }] }));
    await expect(connect({ basePath: "/api", around }).client.listExecutions()).rejects.toThrow(
      /executionId/,
    );
  });

  test("a server that does not answer in time is `timed_out`", async () => {
    const around = (): Fetch => (_, init) =>
      new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    expect(await codeOf(connect({ around, client: { timeoutMs: 5 } }).client.listExecutions())).toBe(
      "timed_out",
    );
  });

  test("what no server offers is refused", async () => {
    const { client } = connect();
    expect(await codeOf(client.deleteExecution("x"))).toBe("not_supported");
    expect(await codeOf(client.recompute())).toBe("not_supported");
    expect(await codeOf(client.prune({ before: "1" }))).toBe("not_supported");
    expect(await codeOf(client.redact((record) => record))).toBe("not_supported");
  });
});

describe("follow", () => {
  const running = runningTrace();
  const runningId = running[0]?.executionId ?? "";
  const late = makeSpan({
    executionId: runningId,
    traceId: running[0]?.traceId ?? "",
    spanId: "00000000000000ab",
  });

  test("gives everything, then changes as they come, and ends with the signal", async () => {
    const { client, inner } = connect({ basePath: "/api" });
    await inner.write(running);
    const leave = new AbortController();
    const seen: TraceChanges[] = [];
    for await (const changes of client.follow(runningId, 0, leave.signal)) {
      seen.push(changes);
      if (seen.length === 1) await inner.write([late]);
      else leave.abort();
    }
    expect(seen.map(({ spans }) => spans.length)).toEqual([running.length, 1]);
    expect(seen[1]).toEqual(await inner.changesSince(runningId, seen[0]?.seq ?? 0));
  });

  test("goes on from a seq", async () => {
    const { client, inner } = connect({ basePath: "/api" });
    await inner.write(running);
    const seq = (await inner.changesSince(runningId, 0))?.seq ?? 0;
    await inner.write([late]);
    for await (const changes of client.follow(runningId, seq, new AbortController().signal)) {
      expect(changes.spans.map((span) => span.spanId)).toEqual([late.spanId]);
      break;
    }
  });

  test("ends by itself when the execution is done", async () => {
    const { client, inner } = connect({ basePath: "/api", live: { quietMs: 1 } });
    await inner.write(trace);
    const seen = [];
    for await (const changes of client.follow(executionId, 0, new AbortController().signal))
      seen.push(changes);
    expect(seen).toHaveLength(1);
  });

  test("throws when the connection is lost", async () => {
    const { client, inner } = connect({
      basePath: "/api",
      around: (send) => async (url, init) => {
        const response = await send(url, init);
        return new Response(response.body?.pipeThrough(cutAfter("snapshot")), response);
      },
    });
    await inner.write(running);
    const changes = client.follow(runningId, 0, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await changes.next()).value?.spans).toHaveLength(running.length);
    expect(await codeOf(changes.next())).toBe("network_failed");
  });

  test("a seq that the server does not know asks the caller to read anew", async () => {
    const { client, inner } = connect({ basePath: "/api" });
    await inner.write(running);
    const changes = client.follow(runningId, 999_999, new AbortController().signal)[Symbol.asyncIterator]();
    expect(await codeOf(changes.next())).toBe("invalid_cursor");
  });

  test("an unknown execution is `not_found`", async () => {
    const { client } = connect({ basePath: "/api" });
    for (const id of ["nobody", ".."]) {
      expect(
        await codeOf(client.follow(id, 0, new AbortController().signal)[Symbol.asyncIterator]().next()),
      ).toBe("not_found");
    }
  });
});

/** Ends a stream after the chunk that holds `word`, as a network does. */
function cutAfter(word: string): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      if (new TextDecoder().decode(chunk).includes(word)) controller.terminate();
    },
  });
}
