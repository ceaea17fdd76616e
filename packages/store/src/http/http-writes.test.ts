import { makeSpan, makeTrace, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { codeOf, connect, type Fetch, firstAnswer } from "./http-store.test-support.ts";

describe("writes", () => {
  test("go in requests of bounded size, and the receipt counts as if there were one", async () => {
    const { client, inner, sent } = connect({ basePath: "/api" });
    const spans = makeTrace({ spans: 2_500 });
    const broken = { ...spans[0], traceId: "no" } as (typeof spans)[number];
    const receipt = await client.write([...spans.slice(0, 1_700), broken, ...spans.slice(1_700)]);
    expect(receipt).toMatchObject({ written: 2_500, rejected: [{ index: 1_700, code: "invalid_record" }] });
    expect(sent).toHaveLength(3);
    expect((await inner.getExecutions(["made-1"]))[0]?.spanCount).toBe(2_500);
  });

  test("are bounded in bytes, and a span with four full contents in any script comes through", async () => {
    const { client, inner, sent } = connect({ basePath: "/api" });
    const content = textContent("\u6f22".repeat(1_048_576));
    const full = { input: content, output: content, stateBefore: content, stateAfter: content };
    const spans = [1, 2].map((number) => makeSpan({ ...full, spanId: `000000000000000${number}` }));
    expect(await client.write(spans)).toMatchObject({ written: 2, rejected: [] });
    expect(sent).toHaveLength(2);
    const [first] = spans;
    expect(await inner.getSpan(first?.executionId ?? "", "0000000000000001")).toEqual(first);
  });

  test("what JSON would change is refused, not changed", async () => {
    const { client } = connect({ basePath: "/api" });
    const receipt = await client.write([makeSpan({ attributes: { ratio: Number.NaN } })]);
    expect(receipt).toMatchObject({
      written: 0,
      rejected: [{ index: 0, message: expect.stringContaining("attributes") }],
    });
  });

  test.each<[string, () => Response | Promise<Response>]>([
    ["a network error", () => Promise.reject(new TypeError("fetch failed"))],
    ["a 503 with Retry-After", () => new Response("busy", { status: 503, headers: { "retry-after": "0" } })],
    ["a 429", () => new Response("slow down", { status: 429, headers: { "retry-after": "0" } })],
  ])("are tried again after %s", async (_, answer) => {
    const { client } = connect({ basePath: "/api", around: firstAnswer(answer) });
    expect(await client.write(makeTrace({ spans: 3 }))).toEqual({ written: 3, unchanged: 0, rejected: [] });
  });

  test("of which the answer got lost are counted as unchanged, and nothing is doubled", async () => {
    let lost = false;
    const { client, inner } = connect({
      basePath: "/api",
      around: (send) => async (url, init) => {
        const response = await send(url, init);
        if (lost) return response;
        lost = true;
        throw new TypeError("connection reset");
      },
    });
    expect(await client.write(makeTrace({ spans: 3 }))).toEqual({ written: 0, unchanged: 3, rejected: [] });
    expect((await inner.getExecutions(["made-1"]))[0]?.spanCount).toBe(3);
  });

  test("give up after three tries, and at once where the server refuses or asks for long patience", async () => {
    const attempts = async (answer: () => Response): Promise<[string, number]> => {
      let tries = 0;
      const around = (): Fetch => async () => {
        tries++;
        return answer();
      };
      return [await codeOf(connect({ around }).client.write(makeTrace({ spans: 1 }))), tries];
    };
    const status = (code: number, retryAfter: string) => (): Response =>
      new Response("no", { status: code, headers: { "retry-after": retryAfter } });
    expect(await attempts(status(503, "0"))).toEqual(["network_failed", 3]);
    expect(await attempts(status(429, "0"))).toEqual(["network_failed", 3]);
    expect(await attempts(status(503, "3600"))).toEqual(["network_failed", 1]);
    expect(await attempts(status(401, "0"))).toEqual(["unauthenticated", 1]);
    expect(await attempts(status(507, "0"))).toEqual(["network_failed", 1]);
  });

  test("that are too much at once go in smaller parts, and what is too large alone is named", async () => {
    const spans = makeTrace({ spans: 40 });
    const large = makeSpan({ executionId: "made-1", input: textContent("x".repeat(60_000)) });
    const { client, inner, sent } = connect({
      basePath: "/api",
      // As a proxy does that takes less than the server.
      around: (send) => async (url, init) =>
        String(init.body).length > 20_000
          ? new Response("<html>too large", { status: 413 })
          : send(url, init),
    });
    const receipt = await client.write([...spans.slice(0, 7), large, ...spans.slice(7)]);
    expect(receipt).toMatchObject({
      written: 40,
      unchanged: 0,
      rejected: [{ index: 7, code: "limit_exceeded" }],
    });
    expect(sent.length).toBeGreaterThan(1);
    expect((await inner.getExecutions(["made-1"]))[0]?.spanCount).toBe(40);
  });
});

describe("the end of the store", () => {
  test("ends what is under way and waits of retries, and refuses later calls", async () => {
    const end = new AbortController();
    let ask = (): void => {};
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const around = (): Fetch => (_, init) =>
      new Promise((_, reject) => {
        ask();
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    const { client } = connect({ around, client: { signal: end.signal } });
    const list = client.listExecutions();
    const write = client.write(makeTrace({ spans: 1 }));
    const live = client.follow("made-1", 0, new AbortController().signal)[Symbol.asyncIterator]().next();
    await asked;
    end.abort();
    for (const call of [list, write, live, client.listExecutions()]) {
      expect(await codeOf(call)).toBe("store_closed");
    }
  });

  test("a wait between two tries ends, too", async () => {
    const end = new AbortController();
    const around = (): Fetch => async () => {
      queueMicrotask(() => end.abort());
      return new Response("busy", { status: 503, headers: { "retry-after": "4" } });
    };
    const { client } = connect({ around, client: { signal: end.signal } });
    expect(await codeOf(client.write(makeTrace({ spans: 1 })))).toBe("store_closed");
  });
});
