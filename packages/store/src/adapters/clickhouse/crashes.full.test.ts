import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, compareRecords, type ScopedStore, type SpanRecord, spanKey } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkAll } from "../../testing/concurrency.ts";
import { Expected, Follower, readAll } from "../../testing/expected.ts";
import { createRandom } from "../../testing/random.ts";
import { randomHistory } from "../../testing/random-history.ts";
import { createClickHouseStore } from "../clickhouse.ts";
import type { ClickHouseClient } from "./client.ts";
import { clientOf, newDatabase } from "./harness.test-support.ts";
import { type RunningClickHouse, startClickHouse } from "./test-server.test-support.ts";

const ENGINE_KILLS = 6;

const data = mkdtempSync(join(tmpdir(), "spanloom-clickhouse-"));
const started = await startClickHouse(data);
const missing = "missing" in started ? started.missing : undefined;
let server = started as RunningClickHouse;

afterAll(async () => {
  if (missing === undefined) await server.stop();
  rmSync(data, { recursive: true, force: true });
});

describe.skipIf(missing !== undefined)(`crashes${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let client: ReturnType<typeof clientOf>;
  beforeAll(() => {
    client = clientOf(server.url);
  });
  afterAll(() => client.close());

  /** What a save writes, in its order; a crash after each of them. */
  const tables = ["span", "gone", "usage_cell", "execution_stats", "execution"] as const;
  const histories = [11, 12, 13].map((seed) => randomHistory(seed).batches);

  for (const table of tables) {
    test(`an insert into ${table} that a crash kept away: the spans that are there count, once another process opens`, async () => {
      for (const [index, batches] of histories.entries()) {
        const database = newDatabase();
        const scope = "scope";
        const random = createRandom(index + 1);
        const acknowledged: SpanRecord[] = [];
        // Each batch is written by a process that dies, or not, in the middle of it; the next process is another one.
        for (const batch of batches) {
          const dying = createClickHouseStore({
            client: random.chance(0.5) ? without(client, table) : client,
            database,
            retention: false,
          });
          try {
            await dying.forScope(scope).write(batch);
            acknowledged.push(...batch);
          } catch {
            // Not acknowledged. Somebody else writes meanwhile, so that this was not the last save.
            const other = createClickHouseStore({ client, database, retention: false });
            await other.forScope(scope).write([elsewhere(acknowledged.length)]);
            acknowledged.push(elsewhere(acknowledged.length));
            await other.close();
          }
          await dying.close();
        }
        const store = createClickHouseStore({ client, database, retention: false });
        await check(store.forScope(scope), acknowledged, [...batches.flat(), ...acknowledged]);
        await store.close();
      }
    });
  }

  test("the same process goes on after a save that failed half way: what is stored counts before it is written again", async () => {
    const faults = { table: "" };
    const database = newDatabase();
    const store = createClickHouseStore({ client: failing(client, faults), database, retention: false });
    const scope = store.forScope("scope");
    const { batches } = randomHistory(21);
    for (const [index, batch] of batches.entries()) {
      faults.table = tables[index % tables.length] ?? "";
      await scope.write(batch).catch(() => undefined);
      faults.table = "";
      if (index % 2 === 0) await scope.write([elsewhere(index)]);
      // Writing again is what a caller does who was not told.
      if (index % 3 === 0) await scope.write(batch);
      await check(scope, [], [...batches.flat(), ...batches.map((_, number) => elsewhere(number))]);
    }
    await store.close();
  });

  for (const table of ["execution", "usage_cell", "execution_stats", "DELETE"]) {
    test(`a deletion that ends at ${table} is whole or undone, and can be repeated`, async () => {
      const database = newDatabase();
      const { batches } = randomHistory(31);
      const first = createClickHouseStore({ client, database, retention: false });
      for (const batch of batches) await first.forScope("scope").write(batch);
      await first.close();
      const executionId = await oneOf(client, database);
      const dying = createClickHouseStore({ client: without(client, table), database, retention: false });
      await expect(dying.forScope("scope").deleteExecution(executionId)).rejects.toMatchObject({
        code: "store_failed",
      });
      await dying.close();
      const store = createClickHouseStore({ client, database, retention: false });
      const scope = store.forScope("scope");
      await check(scope, [], batches.flat());
      await scope.deleteExecution(executionId);
      expect(await scope.getExecution(executionId)).toBeUndefined();
      await check(scope, [], batches.flat());
      await store.close();
    });
  }

  const foreign =
    server.pid === undefined ? " (skipped: the server behind CLICKHOUSE_URL is not killed)" : "";
  test.skipIf(foreign !== "")(
    `the engine is killed ${ENGINE_KILLS} times while it writes: every acknowledged write is there${foreign}`,
    async () => {
      const database = newDatabase();
      const options = { client, database, retention: false } as const;
      let store = createClickHouseStore(options);
      const random = createRandom(5);
      const acknowledged: SpanRecord[] = [];
      const sent: SpanRecord[] = [];
      let cutOff = 0;
      for (let kill = 1; kill <= ENGINE_KILLS; kill++) {
        const batches = randomHistory(500 + kill).batches.map((batch) =>
          batch.map((record) =>
            record.executionId === record.traceId
              ? record
              : { ...record, executionId: `${kill}-${record.executionId}` },
          ),
        );
        const killAt = 2 + random.int(batches.length);
        const lost: SpanRecord[][] = [];
        let killing: Promise<void> | undefined;
        let next = 0;
        const writer = async (): Promise<void> => {
          for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
            if (next >= killAt) killing ??= afterMs(random.int(30)).then(() => server.stop());
            sent.push(...batch);
            try {
              await store.forScope("scope").write(batch);
              acknowledged.push(...batch);
            } catch {
              lost.push(batch);
            }
          }
        };
        await Promise.all([writer(), writer(), writer()]);
        await (killing ?? server.stop());
        cutOff += lost.length;
        server = (await startClickHouse(data, Number(new URL(server.url).port))) as RunningClickHouse;
        // Every second time the process goes on, as a service does whose database was away.
        if (kill % 2 === 0) {
          await store.close();
          store = createClickHouseStore(options);
        }
        const scope = store.forScope("scope");
        await check(scope, acknowledged, sent);
        for (const batch of lost) expect((await scope.write(batch)).rejected).toEqual([]);
        acknowledged.push(...lost.flat());
        await check(scope, acknowledged, sent);
      }
      // Else nothing was tried.
      expect(cutOff).toBeGreaterThan(ENGINE_KILLS / 2);
      await store.close();
    },
  );
});

/** Everything is told as it is stored, the acknowledged is there, and nothing else than what was sent. */
async function check(
  store: ScopedStore,
  acknowledged: readonly SpanRecord[],
  sent: readonly SpanRecord[],
): Promise<void> {
  const { items } = await store.listExecutions({ limit: 500 });
  const stored: SpanRecord[] = [];
  for (const { executionId } of items) stored.push(...((await readAll(store, executionId)) ?? []));
  const byKey = new Map(stored.map((record) => [spanKey(record), record]));
  for (const record of acknowledged) {
    const kept = byKey.get(spanKey(record));
    expect(kept, `the acknowledged span ${spanKey(record)}`).toBeDefined();
    if (kept === undefined) continue;
    const asWritten = { ...kept, executionId: record.executionId };
    expect(compareRecords(asWritten, record) >= 0 || compareRecords(kept, record) >= 0).toBe(true);
  }
  const bare = (record: SpanRecord): string => canonicalJson({ ...record, executionId: "" });
  const known = new Set(sent.map(bare));
  expect(stored.filter((record) => !known.has(bare(record)))).toEqual([]);
  const expected = new Expected();
  expected.add(stored);
  const followers = expected.executionIds().map((id) => new Follower(id));
  await checkAll(store, expected, followers);
}

/** The client of a process that dies before its first insert into that table, or its first deletion of rows. */
function without(client: ClickHouseClient, table: string): ClickHouseClient {
  return failing(client, { table });
}

function failing(client: ClickHouseClient, faults: { table: string }): ClickHouseClient {
  const fails = (what: string): boolean => faults.table !== "" && what.endsWith(faults.table);
  return {
    query: (call) => client.query(call),
    insert: async (call) => {
      if (fails(call.table)) throw new Error("the process died");
      return client.insert(call);
    },
    command: async (call) => {
      if (fails(call.query.trimStart().slice(0, 6))) throw new Error("the process died");
      return client.command(call);
    },
    close: () => client.close(),
  };
}

async function oneOf(client: ClickHouseClient, database: string): Promise<string> {
  const store = createClickHouseStore({ client, database, retention: false });
  try {
    const { items } = await store.forScope("scope").listExecutions();
    return items[0]?.executionId ?? "";
  } finally {
    await store.close();
  }
}

function elsewhere(number: number): SpanRecord {
  return makeSpan({
    executionId: `elsewhere-${number}`,
    traceId: (number + 1).toString(16).padStart(32, "e"),
    startTime: "1774500000000000000",
  });
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
