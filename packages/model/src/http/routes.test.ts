import { describe, expect, test } from "vitest";
import { SpanloomError } from "../errors.ts";
import { decodeProblem, encodeProblem } from "./problem.ts";
import {
  analyticsParams,
  dailyCostsParams,
  executionIdsParams,
  getTraceParams,
  listExecutionsParams,
  queryString,
  readAnalytics,
  readCount,
  readDailyCosts,
  readExecutionIds,
  readGetTrace,
  readListExecutions,
  readSearchSpans,
  searchSpansParams,
} from "./queries.ts";
import { routePath } from "./routes.ts";

const sent = (params: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(queryString(params)));

describe("paths", () => {
  test("carry any id as one segment", () => {
    const path = routePath("getSpan", { execution_id: "a/b %2F?#ключ", span_id: "s" }) ?? "";
    const segments = new URL(path, "http://x.test").pathname.split("/");
    expect(segments.map(decodeURIComponent)).toEqual(["", "executions", "a/b %2F?#ключ", "spans", "s"]);
  });

  test.each(["", ".", "..", "\ud800", "x\udfff"])("%j can stand in none", (id) => {
    expect(routePath("getTrace", { execution_id: id })).toBeUndefined();
  });
});

describe("queries", () => {
  test("are read as they were asked", () => {
    const list = {
      workflowId: "a&b",
      status: ["running" as const, "failed" as const],
      threadId: "t",
      from: "1795167000000000001",
      to: "1795167000000000002",
      text: "ü ",
      sort: { by: "durationMs" as const, direction: "desc" as const },
      cursor: "abc",
      limit: 7,
    };
    expect(readListExecutions(sent(listExecutionsParams(list)))).toEqual(list);
    expect(readListExecutions(sent(listExecutionsParams({})))).toEqual({});
    const trace = { view: "full" as const, asOfSeq: 3, cursor: "c", limit: 10_000 };
    expect(readGetTrace(sent(getTraceParams(trace)))).toEqual(trace);
    const costs = {
      days: 7,
      timeZone: "Europe/Berlin",
      lastDay: "2028-02-29",
      groupBy: "model" as const,
      workflowId: "w",
    };
    expect(readDailyCosts(sent(dailyCostsParams(costs)))).toEqual(costs);
    expect(readDailyCosts({})).toEqual({ days: 30, timeZone: "UTC" });
    const search = {
      text: "ä & b",
      places: ["name" as const, "content" as const],
      cursor: "c",
      limit: 1_000,
    };
    expect(readSearchSpans(sent(searchSpansParams(search)))).toEqual(search);
    expect(readSearchSpans({ text: "a" })).toEqual({ text: "a" });
    for (const groupBy of ["day", "workflow", "nodeType", "model"] as const) {
      const analytics = { ...costs, groupBy };
      expect(readAnalytics(sent(analyticsParams(analytics)))).toEqual(analytics);
    }
    expect(readAnalytics({})).toEqual({ days: 30, timeZone: "UTC" });
    const ids = ["a,b", "c&d", ""];
    expect(readExecutionIds(new URLSearchParams(executionIdsParams(ids)))).toEqual(ids);
    expect(readExecutionIds(new URLSearchParams(""))).toBeUndefined();
  });

  test("a parameter at fault is named", () => {
    const read: [() => unknown, string][] = [
      [() => readListExecutions({ from: "soon" }), "from"],
      [() => readListExecutions({ limit: "501" }), "limit"],
      [() => readListExecutions({ sort: "-nothing" }), "sort"],
      [() => readGetTrace({ view: "all" }), "view"],
      [() => readDailyCosts({ last_day: "2026-02-29" }), "last_day"],
      [() => readCount({ since_seq: "-1" }, "since_seq"), "since_seq"],
      [() => readExecutionIds(new URLSearchParams(executionIdsParams(new Array(501).fill("x")))), "501"],
    ];
    for (const [call, name] of read) expect(call, name).toThrow(name);
  });
});

describe("problems", () => {
  test("carry an error about the request to the client and back", () => {
    const error = new SpanloomError("invalid_cursor", { what: "What.", why: "Why.", fix: "Fix." });
    const problem = encodeProblem(error);
    expect(problem).toMatchObject({ status: 400, title: "What.", detail: "Why.", fix: "Fix." });
    expect(decodeProblem(problem.status, problem)).toEqual(error);
  });

  test.each([
    new Error("secret"),
    new SpanloomError("store_failed", { what: "secret", why: "secret", fix: "secret" }),
    "secret",
    undefined,
  ])("tell nothing of the server's own failures", (error) => {
    const problem = encodeProblem(error);
    expect(problem.status).toBe(500);
    expect(JSON.stringify(problem)).not.toContain("secret");
  });

  test("keep the code of a failure, so that a client knows a full store from a broken one", () => {
    expect(encodeProblem(new SpanloomError("store_full", { what: "x" }))).toMatchObject({
      status: 507,
      code: "store_full",
    });
  });

  test.each([
    [401, "unauthenticated"],
    [403, "not_permitted"],
    [404, "not_found"],
    [413, "limit_exceeded"],
    [418, "invalid_argument"],
    [502, "network_failed"],
    [504, "timed_out"],
  ])("an answer of a proxy with status %i is %s", (status, code) => {
    for (const body of [undefined, "<html>", [], { code: "toString" }, { code: 7 }]) {
      expect(decodeProblem(status, body).code).toBe(code);
    }
  });
});
