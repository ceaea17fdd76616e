import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { SpanloomError } from "@spanloom/model";
import { createMemoryStore } from "@spanloom/store";
import { describe, expect, test } from "vitest";
import { lateSpan, problemOf, serveSample } from "./handler.test-support.ts";

describe("the protocol", () => {
  test("unknown routes are 404, wrong methods 405 with Allow, outside the base nothing", async () => {
    const server = await serveSample();
    expect((await problemOf(await server.get("/nothing"))).code).toBe("not_supported");
    const wrong = await server.send("/executions", { method: "DELETE" });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("GET, HEAD");
    expect((await server.send("/spans", { method: "GET" })).headers.get("allow")).toBe("POST");
    expect((await server.send("/../../executions", { method: "GET" })).status).toBe(404);
    expect((await server.send("/executions", { method: "HEAD" })).status).toBe(200);
  });

  test("no origin is let in by CORS", async () => {
    const server = await serveSample();
    const response = await server.get("/executions", { origin: "https://evil.test" });
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("bad queries name the parameter and how to mend it", async () => {
    const server = await serveSample();
    for (const [query, word] of [
      ["limit=0", "limit"],
      ["limit=1e3", "limit"],
      ["status=running,dead", "status"],
      ["sort=password", "sort"],
      ["from=yesterday", "from"],
      ["cursor=%00", "cursor"],
      [`text=${"x".repeat(600)}`, "text"],
    ]) {
      const problem = await problemOf(await server.get(`/executions?${query}`));
      expect(problem.status, query).toBe(400);
      expect(`${problem.title} ${problem.detail}`, query).toContain(word);
      expect(problem.fix, query).toBeTruthy();
    }
    expect((await problemOf(await server.get("/analytics/daily-costs?time_zone=Mars/Olympus"))).code).toBe(
      "invalid_time_zone",
    );
    expect((await server.get("/analytics/daily-costs?last_day=2026-02-30")).status).toBe(400);
    expect(server.errors).toEqual([]);
  });

  test("what was read is 304 until it changes, for the same rights only", async () => {
    let content = true;
    const server = await serveSample({ authorize: () => ({ scope: "default", roles: [], content }) });
    for (const path of [
      "/executions",
      `/executions/${server.executionId}`,
      `/executions/${server.executionId}/trace?view=full`,
      `/runs/${server.executionId}/metrics`,
    ]) {
      content = true;
      const etag = (await server.get(path)).headers.get("etag") ?? "";
      const again = await server.get(path, { "if-none-match": `"other", ${etag}` });
      expect([again.status, await again.text(), again.headers.get("etag")], path).toEqual([304, "", etag]);
      expect(again.headers.get("content-type")).toBeNull();
    }
    const path = `/executions/${server.executionId}/trace?view=full`;
    const etag = (await server.get(path)).headers.get("etag") ?? "";
    content = false;
    expect((await server.get(path, { "if-none-match": etag })).status).toBe(200);
    content = true;
    await server.store.write([lateSpan(server)]);
    expect((await server.get(path, { "if-none-match": etag })).status).toBe(200);
  });

  test("answers are packed as the caller prefers", async () => {
    const server = await serveSample();
    const path = `/executions/${server.executionId}/trace`;
    const plain = await (await server.get(path)).text();
    const packed = async (accept: string): Promise<[string | null, Uint8Array]> => {
      const response = await server.get(path, { "accept-encoding": accept });
      return [response.headers.get("content-encoding"), new Uint8Array(await response.arrayBuffer())];
    };
    const [zip, zipped] = await packed("gzip, deflate");
    expect([zip, gunzipSync(zipped).toString()]).toEqual(["gzip", plain]);
    const [br, brotli] = await packed("gzip, deflate, br");
    expect([br, brotliDecompressSync(brotli).toString()]).toEqual(["br", plain]);
    expect((await packed("br;q=0.2, gzip"))[0]).toBe("gzip");
    expect((await packed("br;q=0, gzip;q=0"))[0]).toBeNull();
    expect((await packed("identity"))[0]).toBeNull();
  });

  test("a store that fails gives a problem that keeps its secrets, and is reported", async () => {
    const store = createMemoryStore();
    const scoped = store.forScope("default");
    const broken = new SpanloomError("store_failed", { what: "cannot open /srv/secret.db" });
    const server = await serveSample(
      {
        store: {
          ...store,
          forScope: () =>
            ({
              ...scoped,
              scope: "default",
              capabilities: store.capabilities,
              listExecutions: () => Promise.reject(broken),
            }) as never,
        },
      },
      [],
    );
    const response = await server.get("/executions");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(server.errors).toEqual([broken]);
  });
});
