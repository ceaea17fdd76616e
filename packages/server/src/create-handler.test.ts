import type { TracePage } from "@spanloom/model";
import { makeSpan, makeTrace, textContent } from "@spanloom/model/fixtures";
import {
  decodeChanges,
  decodeDailyCosts,
  decodeExecutionDetail,
  decodeExecutionPage,
  decodeRunMetrics,
  decodeSpan,
  decodeTracePage,
} from "@spanloom/model/http";
import { describe, expect, test } from "vitest";
import { lateSpan, serveSample } from "./handler.test-support.ts";

describe("reads", () => {
  test("a trace has its execution, spans, artifacts, tokens and the commit it shows", async () => {
    const server = await serveSample();
    const response = await server.get(`/executions/${server.executionId}/trace`);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toContain("private");
    const [root] = server.spans;
    const model = server.spans.find((span) => span.kind === "llm");
    const maker = server.spans.find((span) => span.artifacts !== undefined);
    const body: unknown = await response.json();
    expect(body).toMatchObject({
      execution: { execution_id: root?.executionId, status: "completed" },
      trace_id: root?.traceId,
      tokens: { total: { input: expect.any(Number) } },
      page_info: { span_count: server.spans.length, as_of_seq: expect.any(Number) },
    });
    expect(body).toHaveProperty("spans.length", server.spans.length);
    expect(body).toHaveProperty("spans.0.start_time", expect.stringMatching(/^2026-.*\.\d{9}Z$/));
    expect(body).toHaveProperty("spans.1.parent_id", root?.spanId);
    expect(body).toHaveProperty(
      "tokens.by_span",
      expect.arrayContaining([
        expect.objectContaining({ span_id: model?.spanId, input: model?.usage?.input }),
      ]),
    );
    expect(body).toHaveProperty(
      "artifacts",
      expect.arrayContaining([expect.objectContaining({ span_id: maker?.spanId })]),
    );
  });

  test("pages of a trace go on with the cursor and show one commit", async () => {
    const server = await serveSample({}, makeTrace({ spans: 30 }));
    const read = async (query: string): Promise<TracePage> =>
      decodeTracePage(
        await (await server.get(`/executions/made-1/trace?limit=20${query}`)).json(),
        "skeleton",
      );
    const whole = await server.store.getTrace("made-1");
    const first = await read("");
    await server.store.write([lateSpan(server)]);
    const next = await read(`&cursor=${first.nextCursor}`);
    const ids = [...first.spans, ...next.spans].map((span) => span.spanId);
    expect(ids).toEqual(whole?.spans.map((span) => span.spanId));
    expect(next).toMatchObject({ asOfSeq: first.asOfSeq, spanCount: 30 });
    expect(next.nextCursor).toBeUndefined();
  });

  test("since_seq gives what changed after that commit", async () => {
    const server = await serveSample();
    const seq = (await server.store.getExecutions([server.executionId]))[0]?.seq;
    await server.store.write([lateSpan(server)]);
    const response = await server.get(`/executions/${server.executionId}/trace?since_seq=${seq}`);
    const changes = decodeChanges(await response.json());
    expect(changes.spans.map((span) => span.spanId)).toEqual([lateSpan(server).spanId]);
    expect(changes.more).toBe(false);
  });

  test("several executions come in the order asked for, without the unknown", async () => {
    const server = await serveSample({}, [
      makeSpan({ executionId: "a,b", traceId: "a".repeat(32) }),
      makeSpan({ executionId: "c", traceId: "c".repeat(32) }),
    ]);
    const body: unknown = await (await server.get("/executions?ids=c&ids=nobody&ids=a%2Cb")).json();
    expect(body).toMatchObject({ items: [{ execution_id: "c" }, { execution_id: "a,b" }] });
  });

  test("run metrics, detail, daily costs and the list answer", async () => {
    const server = await serveSample();
    const read = async (path: string): Promise<unknown> => (await server.get(path)).json();
    const metrics = decodeRunMetrics(await read(`/runs/${server.executionId}/metrics`));
    expect(metrics).toEqual(await server.store.getRunMetrics(server.executionId));
    const detail = decodeExecutionDetail(await read(`/executions/${server.executionId}`));
    expect(detail).toEqual(await server.store.getExecution(server.executionId));
    const list = decodeExecutionPage(await read("/executions?sort=-cost&limit=5"));
    expect(list.items).toMatchObject([{ executionId: server.executionId }]);
    const query = { days: 7, timeZone: "Europe/Berlin", lastDay: "2026-11-21", groupBy: "model" } as const;
    const costs = decodeDailyCosts(
      await read("/analytics/daily-costs?days=7&group_by=model&time_zone=Europe/Berlin&last_day=2026-11-21"),
    );
    expect(costs).toEqual(await server.store.getDailyCosts(query));
  });

  test.each(["a/b", "100%", "%2F", "ключ 🔑", "../x", "a?b#c", "a\\b", "__proto__", "'\"<>", "a+b c"])(
    "the id %j is found under its own name",
    async (executionId) => {
      const span = makeSpan({ executionId });
      const server = await serveSample({}, [span]);
      const base = `/executions/${encodeURIComponent(executionId)}`;
      expect(await (await server.get(base)).json()).toMatchObject({ execution_id: executionId });
      expect((await server.get(`${base}/trace`)).status).toBe(200);
      expect((await server.get(`${base}/spans/${span.spanId}`)).status).toBe(200);
    },
  );

  test("hostile paths are nobody's", async () => {
    const server = await serveSample();
    for (const id of ["%", "%zz", "%00", "%ff", "x".repeat(300), "constructor", "%2e%2e%2f"]) {
      expect((await server.get(`/executions/${id}/trace`)).status, id).toBe(404);
    }
    expect((await server.get(`/executions/${"x".repeat(9_000)}`)).status).toBe(414);
    expect(server.errors).toEqual([]);
  });
});

describe("full pages", () => {
  const long = makeSpan({ executionId: "long", output: textContent("é".repeat(50_000)) });

  test("hold previews that tell the whole length; the span's route gives the whole", async () => {
    const server = await serveSample({}, [long]);
    const page = decodeTracePage(await (await server.get("/executions/long/trace?view=full")).json(), "full");
    expect(page.spans[0]?.output).toMatchObject({
      state: "preview",
      length: 50_000,
      text: "é".repeat(2_000),
    });
    const whole = decodeSpan(await (await server.get(`/executions/long/spans/${long.spanId}`)).json());
    expect(whole).toEqual(long);
  });
});
