import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { makeSpan } from "@spanloom/model/fixtures";
import { afterEach, expect, test } from "vitest";
import { type ClickHouseStoreOptions, clickhouseSchema, createClickHouseStore } from "./clickhouse.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Something that answers where ClickHouse should; `undefined` never answers. */
async function serverThat(answer: { code: number; text: string } | undefined): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    if (answer === undefined) return;
    response.writeHead(500, { "X-ClickHouse-Exception-Code": String(answer.code) });
    response.end(`Code: ${answer.code}. DB::Exception: ${answer.text}`);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function writeError(url: string): Promise<unknown> {
  const client = createClient({ url, request_timeout: 200, log: { level: ClickHouseLogLevel.OFF } });
  const store = createClickHouseStore({ client, retention: false });
  try {
    return await store
      .forScope("scope")
      .write([makeSpan({ name: "a-secret-name" })])
      .then(
        () => undefined,
        (error: unknown) => error,
      );
  } finally {
    await store.close();
    await client.close();
  }
}

test("a server that is away says so, and that the write can be tried again", async () => {
  const url = await serverThat(undefined);
  const [server] = servers.splice(0);
  await new Promise((resolve) => server?.close(resolve));
  expect(await writeError(url)).toMatchObject({
    code: "store_failed",
    what: "ClickHouse cannot be reached.",
    why: "The connection failed with ECONNREFUSED.",
  });
});

test("a server that does not answer in time", async () => {
  expect(await writeError(await serverThat(undefined))).toMatchObject({ code: "timed_out" });
});

test.each([
  [243, "NOT_ENOUGH_SPACE", "store_full"],
  [159, "TIMEOUT_EXCEEDED", "timed_out"],
  [209, "SOCKET_TIMEOUT", "timed_out"],
  [241, "MEMORY_LIMIT_EXCEEDED", "store_failed"],
  [497, "ACCESS_DENIED", "store_failed"],
  [516, "AUTHENTICATION_FAILED", "store_failed"],
  [60, "UNKNOWN_TABLE", "schema_mismatch"],
  [81, "UNKNOWN_DATABASE", "schema_mismatch"],
  [62, "SYNTAX_ERROR", "store_failed"],
])("error %i (%s) of the server becomes one of ours, without its text", async (code, type, own) => {
  const text = `near 'a-secret-name'. (${type}) (version 25.5.2.1)`;
  const error = await writeError(await serverThat({ code, text }));
  expect(error).toMatchObject({ code: own, why: expect.stringContaining(String(code)) });
  expect((error as Error).message).not.toContain("a-secret-name");
});

test("refuses options that cannot be used", () => {
  const client = { query: never, insert: never, command: never, close: never };
  const wrong: ClickHouseStoreOptions[] = [
    {},
    { client, url: "http://127.0.0.1:8123" },
    { client, database: "a`; DROP DATABASE b" },
    { client, database: "" },
    { client, database: "a".repeat(101) },
  ];
  for (const options of wrong) {
    expect(() => createClickHouseStore(options)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});

test("a client that the host gave is the host's to close", async () => {
  let closed = false;
  const client = {
    query: never,
    insert: never,
    command: never,
    close: async () => {
      closed = true;
    },
  };
  const store = createClickHouseStore({ client, retention: false });
  await store.close();
  expect(closed).toBe(false);
  expect(() => store.forScope("scope")).toThrow(expect.objectContaining({ code: "store_closed" }));
});

test("the tables' statements can be run by hand, one after the other", () => {
  const statements = clickhouseSchema("traces");
  expect(statements[0]).toBe("CREATE DATABASE IF NOT EXISTS `traces`");
  expect(statements.slice(1).every((one) => one.includes("`traces`."))).toBe(true);
  // The guide makes the tables of a cluster of them by these two marks.
  const tables = statements.filter((one) => one.startsWith("CREATE TABLE IF NOT EXISTS `traces`."));
  expect(tables).toHaveLength(statements.length - 2);
  expect(tables.every((one) => one.includes("ENGINE = ReplacingMergeTree(version)"))).toBe(true);
});

async function never(): Promise<never> {
  throw new Error("Nobody should ask.");
}
