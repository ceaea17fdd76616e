import { type ContentVault, SpanloomError } from "@spanloom/model";
import { makeSpan, messagesContent, textContent } from "@spanloom/model/fixtures";
import {
  type ContentVaultOptions,
  createContentVault,
  createMemoryBlobs,
  type VaultRead,
} from "@spanloom/pipeline/vault";
import { expect, test } from "vitest";
import type { AuditEvent } from "../audit.ts";
import { allowAll } from "../authorize.ts";
import type { HandlerOptions } from "../create-handler.ts";
import { problemOf, serveSample, type TestServer } from "../handler.test-support.ts";

const RAW = "raw, with everything in it";
const span = makeSpan({ executionId: "e", input: textContent("[redacted]") });
const PATH = `/executions/e/spans/${span.spanId}/raw`;

async function serve(
  options: Partial<HandlerOptions> = {},
  onRead: ContentVaultOptions["onRead"] = () => undefined,
): Promise<TestServer & { vault: ContentVault }> {
  const keys = { current: "k", all: { k: new Uint8Array(32).fill(1) } };
  const vault = createContentVault({ blobs: createMemoryBlobs(), keys, onRead });
  const { traceId, spanId } = span;
  const part = { type: "media" as const, mimeType: "image/png", uri: RAW };
  await vault.put(
    { scope: "default", executionId: "e", traceId, spanId },
    { input: textContent(RAW), output: messagesContent({ role: "user", parts: [part] }) },
  );
  const authorize = allowAll({ rawContent: true, subject: "ada", roles: ["auditor"] });
  return { ...(await serveSample({ vault, authorize, ...options }, [span])), vault };
}

test("who may see raw content gets it, uncached, and the read is on record on both sides", async () => {
  const reads: VaultRead[] = [];
  const seen: AuditEvent[] = [];
  const server = await serve({ onAudit: (event) => void seen.push(event) }, (read) => void reads.push(read));
  const response = await server.get(PATH);
  expect(response.headers.get("cache-control")).toBe("private, no-store");
  expect(await response.json()).toMatchObject({
    trace_id: span.traceId,
    span_id: span.spanId,
    input: { format: "text", state: "captured", text: RAW },
    output: {
      format: "messages",
      state: "captured",
      messages: [{ role: "user", parts: [{ type: "media", mime_type: "image/png", uri: RAW }] }],
    },
  });
  expect(reads).toMatchObject([{ scope: "default", executionId: "e", subject: "ada", roles: ["auditor"] }]);
  expect(seen).toMatchObject([{ action: "raw_content.read", status: 200, rawContent: true, subject: "ada" }]);
});

test("the permission for content is not enough, and nothing is read without the other", async () => {
  const reads: VaultRead[] = [];
  for (const rawContent of [undefined, false]) {
    const authorize = allowAll(rawContent === undefined ? {} : { rawContent });
    const server = await serve({ authorize }, (read) => void reads.push(read));
    const response = await server.get(PATH);
    expect(response.status).toBe(403);
    const unknown = await server.get("/executions/nobody/spans/0000000000000001/raw");
    expect(await response.text()).toBe(await unknown.text());
  }
  expect(reads).toEqual([]);
});

test("without a vault there is no such route", async () => {
  const server = await serveSample({ authorize: allowAll({ rawContent: true }) }, [span]);
  expect((await problemOf(await server.get(PATH))).code).toBe("not_supported");
});

test("what is unknown, deleted, of another scope or not kept is not found", async () => {
  const server = await serve();
  expect((await server.get("/executions/e/spans/00000000000000ff/raw")).status).toBe(404);
  const other = await serve({ authorize: allowAll({ scope: "other", rawContent: true }) });
  expect((await other.get(PATH)).status).toBe(404);
  await server.vault.deleteExecution("default", "e");
  expect((await server.get(PATH)).status).toBe(404);
  // The store decides also where the vault could not be reached when the execution was deleted.
  const kept = await serve();
  await kept.store.deleteExecution("e");
  expect((await kept.get(PATH)).status).toBe(404);
});

test("a read that cannot be put on record gives nothing, on either side", async () => {
  const inVault = await serve({}, () => Promise.reject(new Error("disk full")));
  const inServer = await serve({ onAudit: () => Promise.reject(new Error("disk full")) });
  for (const server of [inVault, inServer]) {
    const response = await server.get(PATH);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain(RAW);
  }
});

test("a vault that fails tells the caller a code, and its operator no content", async () => {
  const failed = new SpanloomError("vault_failed", { what: "Raw content could not be decrypted." });
  const { vault } = await serve();
  const server = await serve({ vault: { ...vault, get: () => Promise.reject(failed) } });
  expect(await problemOf(await server.get(PATH))).toMatchObject({ status: 500, code: "vault_failed" });
  expect(server.errors).toEqual([failed]);
});
