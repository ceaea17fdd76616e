import { makeSpan } from "@spanloom/model/fixtures";
import { afterAll, describe, expect, test, vi } from "vitest";
import { CLICKHOUSE_SCHEMA_VERSION, clickhouseSchema, createClickHouseStore } from "../clickhouse.ts";
import { clientOf, newDatabase } from "./harness.test-support.ts";
import { type RunningClickHouse, startClickHouse } from "./test-server.test-support.ts";

const server = await startClickHouse();
const reason = "missing" in server ? server.missing : undefined;

describe.skipIf(reason !== undefined)(`tables and writers${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const { url, stop } = server as RunningClickHouse;
  const client = clientOf(url);
  afterAll(async () => {
    await client.close();
    await stop();
  });

  test('a database without tables is refused with migrations: "refuse", until the statements were run by hand', async () => {
    const database = newDatabase();
    const store = createClickHouseStore({ client, database, migrations: "refuse", retention: false });
    const scope = store.forScope("scope");
    await expect(scope.listExecutions()).rejects.toMatchObject({ code: "schema_mismatch" });
    await expect(scope.write([makeSpan()])).rejects.toMatchObject({ code: "schema_mismatch" });
    const databases = await client.query({
      query: "SELECT name FROM system.databases WHERE name = {database:String}",
      query_params: { database },
      format: "JSONEachRow",
    });
    expect(await databases.json()).toEqual([]);
    for (const query of clickhouseSchema(database)) await client.command({ query });
    expect((await scope.write([makeSpan()])).written).toBe(1);
    await store.close();
  });

  test("tables of a newer version are refused and stay as they are", async () => {
    const database = newDatabase();
    const first = createClickHouseStore({ client, database, retention: false });
    await first.forScope("scope").write([makeSpan()]);
    await first.close();
    const newer = CLICKHOUSE_SCHEMA_VERSION + 1;
    await client.command({
      query: `INSERT INTO ${database}.schema_version (one, version) VALUES (1, ${newer})`,
    });
    const store = createClickHouseStore({ client, database, retention: false });
    await expect(store.forScope("scope").write([makeSpan({ revision: 9 })])).rejects.toMatchObject({
      code: "schema_mismatch",
      what: expect.stringContaining(`version ${newer}`),
    });
    const rows = await client.query({ query: `SELECT span_id FROM ${database}.span`, format: "JSONEachRow" });
    expect(await rows.json()).toHaveLength(1);
    await store.close();
  });

  test("a process takes over from one whose clock is ahead: what it writes is later all the same", async () => {
    const database = newDatabase();
    const stores = [0, 1, 2].map(() => createClickHouseStore({ client, database, retention: false }));
    const [behind, ahead, reader] = stores.map((store) => store.forScope("scope"));
    await behind?.write([makeSpan({ name: "first" })]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    try {
      await ahead?.write([makeSpan({ name: "second", revision: 1 })]);
    } finally {
      vi.useRealTimers();
    }
    await behind?.write([makeSpan({ name: "third", revision: 2 }), makeSpan({ spanId: "c".repeat(16) })]);
    const page = await reader?.getTrace(makeSpan().executionId);
    expect(page?.execution.spanCount).toBe(2);
    expect(page?.spans.map((span) => span.name)).toContain("third");
    expect((await reader?.listExecutions())?.items[0]?.spanCount).toBe(2);
    expect((await reader?.recompute())?.corrected).toEqual([]);
    for (const store of stores) await store.close();
  });

  test("a url alone will do: the client is the store's own", async () => {
    const store = createClickHouseStore({ url, database: newDatabase(), retention: false });
    const scope = store.forScope("scope");
    expect((await scope.write([makeSpan()])).written).toBe(1);
    expect((await scope.listExecutions()).items).toHaveLength(1);
    await store.close();
    await expect(scope.listExecutions()).rejects.toMatchObject({ code: "store_closed" });
  });
});
