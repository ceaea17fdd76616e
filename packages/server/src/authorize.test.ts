import { SpanloomError } from "@spanloom/model";
import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { createMemoryStore } from "@spanloom/store";
import { describe, expect, test } from "vitest";
import type { AuditEvent } from "./audit.ts";
import { allowAll } from "./authorize.ts";
import { createHandler } from "./create-handler.ts";
import { serveSample } from "./handler.test-support.ts";

describe("callers", () => {
  test.each([401, 403, 404] as const)("a refusal with %i tells nothing and reads nothing", async (status) => {
    const server = await serveSample({ authorize: () => ({ status }) });
    const known = await server.get(`/executions/${server.executionId}/trace?view=nonsense`);
    const unknown = await server.get("/executions/nobody/trace");
    expect([known.status, unknown.status]).toEqual([status, status]);
    expect(await known.text()).toBe(await unknown.text());
    expect(known.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  });

  test("an execution of another scope looks like one that does not exist", async () => {
    const server = await serveSample({ authorize: () => ({ scope: "other", roles: [], content: true }) });
    for (const path of ["", "/trace", "/trace?since_seq=0", `/spans/${server.spans[0]?.spanId}`]) {
      const theirs = await server.get(`/executions/${server.executionId}${path}`);
      const nobodys = await server.get(`/executions/nobody${path}`);
      expect(theirs.status).toBe(404);
      expect(await theirs.text()).toBe(await nobodys.text());
    }
    const streamed = await server.get(`/executions/${server.executionId}/trace`, {
      accept: "text/event-stream",
    });
    expect(streamed.status).toBe(404);
  });

  test("an authorize that throws gives a 500 without detail and is reported", async () => {
    const secret = new SpanloomError("not_permitted", { what: "session db at 10.0.0.7 is down" });
    const server = await serveSample({ authorize: () => Promise.reject(secret) });
    const response = await server.get("/config");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("10.0.0.7");
    expect(server.errors).toEqual([secret]);
  });

  test.each([
    undefined,
    null,
    true,
    {},
    { scope: "", roles: [], content: true },
    { scope: "s", roles: [] },
    { status: 200 },
  ])("an authorize that answers %j lets nobody in", async (nonsense) => {
    const server = await serveSample({ authorize: () => nonsense as never });
    expect((await server.get("/executions")).status).toBe(500);
  });

  test("a Response refuses, and no more of it than status and challenge is sent", async () => {
    const refusal = new Response("secret", {
      status: 401,
      headers: { "www-authenticate": "Basic", "x-secret": "1" },
    });
    const response = await (await serveSample({ authorize: () => refusal })).get("/executions");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Basic");
    expect(response.headers.get("x-secret")).toBeNull();
    expect(await response.text()).not.toContain("secret");
  });

  test("content is withheld from callers who may not see it, in pages and spans", async () => {
    const prompt = "the quick brown fox";
    const server = await serveSample({ authorize: allowAll({ content: false }) }, [
      makeSpan({
        executionId: "e",
        input: textContent(prompt),
        attributes: { "llm.prompts": prompt, "http.route": "/x" },
      }),
    ]);
    for (const path of ["/executions/e/trace?view=full", `/executions/e/spans/${makeSpan().spanId}`]) {
      const text = await (await server.get(path)).text();
      expect(text).not.toContain(prompt);
      expect(text).toContain('"state":"not_permitted"');
      expect(text).toContain("/x");
    }
  });

  test("what an error said is content on every way that a span is read; its type is not", async () => {
    const said = "cannot parse: the quick brown fox";
    const attributes = { "exception.type": "ParseError", "exception.message": said };
    const span = makeSpan({
      executionId: "e",
      endTime: "1795167000000000009",
      status: { code: "error", message: said },
      events: [{ name: "exception", time: "1795167000000000002", attributes }],
    });
    const path = "/executions/e";
    const ways: [string, Record<string, string>?][] = [
      [`${path}/trace`],
      [`${path}/trace?view=full`],
      [`${path}/trace?since_seq=0`],
      [`${path}/trace`, { accept: "text/event-stream" }],
      [`${path}/spans/${span.spanId}`],
    ];
    for (const content of [true, false]) {
      const live = { quietMs: 0, gatherMs: 0 };
      const server = await serveSample({ authorize: allowAll({ content }), live }, [span]);
      for (const [way, headers] of ways) {
        const text = await (await server.get(way, headers)).text();
        expect(text.includes(said), way).toBe(content);
        expect(text.includes("[not permitted]"), way).toBe(!content);
        if (/full|spans/.test(way)) expect(text).toContain("ParseError");
      }
    }
  });

  test("a live stream ends when the right to see content is taken away", async () => {
    let content = true;
    const server = await serveSample(
      {
        authorize: () => ({ scope: "default", roles: [], content }),
        live: { authorizeMs: 0, pollMs: 1, quietMs: 60_000 },
      },
      [makeSpan({ executionId: "e", status: { code: "error", message: "quoted" } })],
    );
    const response = await server.get("/executions/e/trace", { accept: "text/event-stream" });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("quoted")) text += (await reader?.read())?.value ?? "";
    content = false;
    while (!(await reader?.read())?.done);
  });

  test("link templates are in the JSON of the roles that have them, and absent for others", async () => {
    const config = {
      "*": { environment: "prod" },
      operator: { links: { run: { label: "Open in Grafana", template: "https://g.test/d?run={run_id}" } } },
    };
    const as = async (role: string): Promise<string> =>
      (await (await serveSample({ config, authorize: allowAll({ roles: [role] }) })).get("/config")).text();
    expect(JSON.parse(await as("operator"))).toMatchObject({
      roles: ["operator"],
      environment: "prod",
      links: { run: { label: "Open in Grafana" } },
    });
    expect(await as("auditor")).not.toContain("links");
    expect(await as("__proto__")).not.toContain("links");
  });

  test("a link template that is no link is refused when the handler is made", () => {
    const config = { operator: { links: { run: { label: "x", template: "javascript:alert(1)" } } } };
    expect(() => createHandler({ store: createMemoryStore(), authorize: allowAll(), config })).toThrow(
      /cannot be used/,
    );
  });

  test("the audit hook sees every view and refusal; a view that it cannot record is not given", async () => {
    const seen: AuditEvent[] = [];
    const authorize = (request: Request) =>
      request.headers.has("x-in")
        ? { scope: "default", roles: ["op"], content: false, subject: "ada" }
        : { status: 403 as const };
    const server = await serveSample({ authorize, onAudit: (event) => void seen.push(event) });
    await server.get(`/executions/${server.executionId}/spans/${server.spans[0]?.spanId}`, { "x-in": "1" });
    await server.get("/executions");
    await server.get("/executions/nobody", { "x-in": "1" });
    expect(seen).toMatchObject([
      {
        action: "span.read",
        executionId: server.executionId,
        spanId: server.spans[0]?.spanId,
        outcome: "allowed",
        status: 200,
        subject: "ada",
        content: false,
      },
      { action: "executions.list", outcome: "denied", status: 403 },
      { action: "executions.read", executionId: "nobody", outcome: "allowed", status: 404 },
    ]);
    const broken = await serveSample({ onAudit: () => Promise.reject(new Error("disk full")) });
    expect((await broken.get("/executions")).status).toBe(500);
  });
});
