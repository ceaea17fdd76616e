import { gzipSync } from "node:zlib";
import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { encodeSpans } from "@spanloom/model/http";
import { describe, expect, test } from "vitest";
import { problemOf, serveSample } from "../handler.test-support.ts";

const json = { "content-type": "application/json" };

describe("writes", () => {
  const write = (spans: readonly SpanRecord[]): RequestInit => ({
    method: "POST",
    headers: json,
    body: JSON.stringify(encodeSpans(spans)),
  });

  test("spans at fault are named and cost no other", async () => {
    const server = await serveSample({ pipeline: false }, []);
    const good = makeSpan({ executionId: "w" });
    const body = {
      spans: [
        null,
        ...encodeSpans([good]).spans,
        { ...encodeSpans([good]).spans[0], start_time: "yesterday" },
        "x",
      ],
    };
    const response = await server.send("/spans", {
      method: "POST",
      headers: json,
      body: JSON.stringify(body),
    });
    expect(await response.json()).toMatchObject({
      written: 1,
      unchanged: 0,
      rejected: [{ index: 0 }, { index: 2, message: expect.stringContaining("startTime") }, { index: 3 }],
    });
    expect(await server.store.getSpan("w", good.spanId)).toEqual(good);
  });

  test("what is written is cleaned by default", async () => {
    const server = await serveSample({}, []);
    const span = makeSpan({ executionId: "w", attributes: { password: "hunter2-hunter2" } });
    expect((await server.send("/spans", write([span]))).status).toBe(200);
    expect(JSON.stringify(await server.store.getSpan("w", span.spanId))).not.toContain("hunter2");
  });

  test("gzip is read", async () => {
    const server = await serveSample({}, []);
    const body = gzipSync(JSON.stringify(encodeSpans([makeSpan({ executionId: "w" })])));
    const response = await server.send("/spans", {
      method: "POST",
      headers: { ...json, "content-encoding": "gzip" },
      body,
    });
    expect(await response.json()).toMatchObject({ written: 1 });
  });

  test.each<[string, RequestInit, number]>([
    ["no JSON", { headers: json, body: "{" }, 400],
    ["no UTF-8", { headers: json, body: new Uint8Array([0x22, 0xff, 0x22]) }, 400],
    ["no body", { headers: json }, 400],
    ["another shape", { headers: json, body: "[]" }, 422],
    ["deep nesting", { headers: json, body: `{"spans":[${"[".repeat(50_000)}${"]".repeat(50_000)}]}` }, 200],
    ["a form of another site", { headers: { "content-type": "text/plain" }, body: '{"spans":[]}' }, 415],
    ["unknown packing", { headers: { ...json, "content-encoding": "br" }, body: "x" }, 415],
    ["broken gzip", { headers: { ...json, "content-encoding": "gzip" }, body: "no gzip" }, 400],
    [
      "a gzip bomb",
      { headers: { ...json, "content-encoding": "gzip" }, body: gzipSync(Buffer.alloc(40_000_000, " ")) },
      413,
    ],
    ["too many bytes", { headers: json, body: " ".repeat(17_000_000) }, 413],
    ["too many spans", { headers: json, body: JSON.stringify({ spans: new Array(5_001).fill(0) }) }, 413],
  ])("%s is answered with a problem", async (_, init, status) => {
    const server = await serveSample({}, []);
    const response = await server.send("/spans", { method: "POST", ...init });
    expect(response.status).toBe(status);
    if (status >= 400) expect((await problemOf(response)).title).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  test("a read-only handler has no route that writes", async () => {
    const server = await serveSample({ readOnly: true });
    expect((await server.send("/spans", write([makeSpan()]))).status).toBe(404);
  });
});
