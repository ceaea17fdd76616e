import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isSpanloomError } from "@spanloom/model";
import { makeSpan, textContent } from "@spanloom/model/fixtures";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createMemoryStore } from "../memory.ts";
import {
  createPostgresStore,
  type PostgresPool,
  type PostgresStoreOptions,
  postgresMigrations,
} from "../postgres.ts";
import { serverProblem, startTestServer, type TestServer } from "./test-server.test-support.ts";
import { sharedSpan } from "./writer-process.test-support.ts";

const problem = serverProblem();
const ends: (() => Promise<unknown>)[] = [];
let server: TestServer;

const check = problem === undefined ? test : test.skip;
const named = (name: string): string => (problem === undefined ? name : `${name} (${problem})`);

if (problem === undefined) {
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(() => server.stop());
}

check(named("four processes write one execution at once, and every sum is that of one writer"), async () => {
  const url = await server.createDatabase();
  const writers = [0, 1, 2, 3].map((index) => startWriter(url, index * 50, 50));
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, "exit"))[0]));
  expect(codes).toEqual([0, 0, 0, 0]);

  const scope = openStore({ connectionString: url }).forScope("scope");
  const reference = createMemoryStore().forScope("scope");
  await reference.write(Array.from({ length: 200 }, (_, number) => sharedSpan(number)));
  const { seq, ...detail } = present(await scope.getExecution("shared"));
  const { seq: _, ...expected } = present(await reference.getExecution("shared"));
  expect(detail).toEqual(expected);
  expect(seq).toBeGreaterThanOrEqual(200);
  const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "model" as const };
  expect(await scope.getDailyCosts(query)).toEqual(await reference.getDailyCosts(query));
  expect(await scope.recompute()).toEqual({ executions: 1, corrected: [] });
});

check(
  named("a writer that is killed, and a server that is killed, lose nothing that was acknowledged"),
  async () => {
    for (const victim of ["writer", "server"] as const) {
      const url = await server.createDatabase();
      const writer = startWriter(url, 0, 100_000);
      const promised: number[] = [];
      const lines = createInterface({ input: writer.stdout as NodeJS.ReadableStream });
      await new Promise<void>((resolve) => {
        lines.on("line", (line) => {
          promised.push(Number(line));
          if (promised.length === 20) resolve();
        });
      });
      const exited = once(writer, "exit");
      if (victim === "server") await server.kill();
      else writer.kill("SIGKILL");
      await exited;
      if (victim === "server") await server.restart();

      const scope = openStore({ connectionString: url }).forScope("scope");
      const page = present(await scope.getTrace("shared"));
      const stored = new Set(page.spans.map((span) => span.spanId));
      expect(promised.length).toBeGreaterThanOrEqual(20);
      expect(promised.filter((number) => !stored.has(sharedSpan(number).spanId))).toEqual([]);
      // Batches are whole or not there.
      expect(page.spanCount % 5).toBe(0);
      expect((await scope.recompute()).corrected).toEqual([]);
    }
  },
);

check(
  named("a commit in another process wakes who watches, also after the listening connection was lost"),
  async () => {
    const url = await server.createDatabase();
    const scope = openStore({ connectionString: url }).forScope("scope");
    await scope.write([makeSpan({ executionId: "other" })]);
    let wakes = 0;
    let woken = (): void => {};
    const stop = scope.watch?.("shared", () => {
      wakes++;
      woken();
    });
    const wake = (): Promise<void> => new Promise((resolve) => (woken = resolve));
    await listening(url);

    const first = wake();
    const writer = startWriter(url, 0, 5);
    await first;
    await once(writer, "exit");
    expect((await scope.getTrace("shared"))?.spanCount).toBe(5);

    // Whatever was committed while nobody listened is found after the break: watchers are woken without a commit.
    const again = wake();
    const client = await connect(url);
    await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'");
    await again;
    await listening(url);
    const second = wake();
    await once(startWriter(url, 5, 5), "exit");
    await second;
    expect((await scope.getTrace("shared"))?.spanCount).toBe(10);
    stop?.();
    expect(wakes).toBeGreaterThanOrEqual(3);
  },
);

check(
  named(
    "a connection that breaks in the middle of a write leaves nothing of it, and the write is done by another",
  ),
  async () => {
    const url = await server.createDatabase();
    const pool = new pg.Pool({ connectionString: url });
    pool.on("error", () => {});
    ends.push(() => pool.end());
    let breaks = 1;
    const breaking: PostgresPool = {
      async connect() {
        const client = await pool.connect();
        const query = client.query.bind(client);
        return {
          query: async (asked) => {
            if (asked.text.includes("exec_trace t WHERE") && breaks-- > 0) {
              const [[pid] = []] = (await query({ text: "SELECT pg_backend_pid()", rowMode: "array" })).rows;
              const other = await connect(url);
              await other.query("SELECT pg_terminate_backend($1)", [pid]);
            }
            return query(asked);
          },
          release: (error) => client.release(error),
          on: client.on.bind(client),
          removeListener: client.removeListener.bind(client),
        };
      },
    };
    const scope = openStore({ pool: breaking }).forScope("scope");
    const receipt = await scope.write([sharedSpan(0), sharedSpan(1)]);
    expect(receipt).toEqual({ written: 2, unchanged: 0, rejected: [] });
    expect(breaks).toBeLessThan(1);
    expect((await scope.getExecution("shared"))?.spanCount).toBe(2);

    // Twice in a row is no stale connection: the caller hears of it, and the next write works on what is really there.
    breaks = 2;
    await expect(scope.write([sharedSpan(2), makeSpan({ executionId: "new" })])).rejects.toMatchObject({
      code: "store_failed",
    });
    expect((await scope.getExecution("shared"))?.spanCount).toBe(2);
    expect((await scope.write([sharedSpan(2), makeSpan({ executionId: "new" })])).written).toBe(2);
    expect(await scope.recompute()).toEqual({ executions: 2, corrected: [] });
  },
);

check(named("what goes wrong at the server is said in words of ours"), async () => {
  const url = await server.createDatabase();
  const away = openStore({ connectionString: "postgres://nobody@127.0.0.1:1/nothing" });
  await refused(away.forScope("scope").listExecutions(), "store_failed", "cannot be reached");
  const lost = openStore({ connectionString: url.replace(/[^/]+$/, "not_there") });
  await refused(lost.forScope("scope").listExecutions(), "store_failed", "database is not there");
  const stranger = openStore({ connectionString: url.replace("spanloom@", "stranger:wrong@") });
  await refused(stranger.forScope("scope").listExecutions(), "store_failed", "refuses to log in");

  const admin = await connect(url);
  await openStore({ connectionString: url }).forScope("scope").write([makeSpan()]);
  await admin.query(
    "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA spanloom TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA spanloom TO reader",
  );
  const reader = openStore({ connectionString: url.replace("spanloom@", "reader@") }).forScope("scope");
  expect((await reader.listExecutions()).items).toHaveLength(1);
  await refused(reader.write([makeSpan({ spanId: "00000000000000b2" })]), "store_failed", "lacks a right");

  await admin.query("DROP TABLE spanloom.usage");
  await refused(
    openStore({ connectionString: url }).forScope("scope").getDailyCosts({ days: 1, timeZone: "UTC" }),
    "schema_mismatch",
    "tables of the store",
  );
});

check(
  named("a full disk, a deadlock and a slow statement: the write is whole or not there, and reads go on"),
  async () => {
    const url = await server.createDatabase();
    const store = openStore({ connectionString: url, statementTimeoutMs: 400 });
    const scope = store.forScope("scope");
    await scope.write([makeSpan({ executionId: "before" })]);
    const admin = await connect(url);
    const failWith = (state: string, times = 1_000_000): Promise<unknown> =>
      admin.query(`CREATE SEQUENCE IF NOT EXISTS failures; ALTER SEQUENCE failures RESTART;
      CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('failures') <= ${times} THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '${state}'; END IF; RETURN NEW; END $$;
      CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON spanloom.span FOR EACH ROW EXECUTE FUNCTION fail()`);

    await failWith("53100");
    await refused(scope.write([makeSpan({ executionId: "during" })]), "store_full", "no room");
    expect(await scope.getExecution("during")).toBeUndefined();
    expect((await scope.listExecutions()).items).toHaveLength(1);
    // Conflicts go away by trying again.
    await failWith("40P01", 2);
    expect((await scope.write([makeSpan({ executionId: "during" })])).written).toBe(1);
    await failWith("40001");
    await refused(scope.write([makeSpan({ executionId: "later" })]), "store_failed", "in the way");
    await admin.query("DROP TRIGGER fail ON spanloom.span");

    const holder = await connect(url);
    await holder.query("BEGIN; LOCK TABLE spanloom.span IN ACCESS EXCLUSIVE MODE");
    await refused(scope.write([makeSpan({ executionId: "later" })]), "timed_out", "in time");
    await holder.query("ROLLBACK");
    expect((await scope.write([makeSpan({ executionId: "later" })])).written).toBe(1);
    expect((await scope.recompute()).corrected).toEqual([]);
  },
);

check(named("a server without connections left says so"), async () => {
  const url = await server.createDatabase();
  const admin = await connect(url);
  await openStore({ connectionString: url }).forScope("scope").write([makeSpan()]);
  await admin.query(`CREATE ROLE few LOGIN CONNECTION LIMIT 0`);
  const store = openStore({ connectionString: url.replace("spanloom@", "few@") });
  await refused(store.forScope("scope").listExecutions(), "store_failed", "no connection left");
});

check(named("migrations: by the host as plain SQL, by several processes at once, or refused"), async () => {
  const url = await server.createDatabase();
  const refusing = openStore({ connectionString: url, migrations: "refuse", schema: "traces" });
  await refused(refusing.forScope("scope").listExecutions(), "schema_mismatch", "version 0");
  const admin = await connect(url);
  for (const { sql } of postgresMigrations("traces")) await admin.query(sql);
  expect((await refusing.forScope("scope").write([makeSpan()])).written).toBe(1);

  const stores = Array.from({ length: 4 }, () => openStore({ connectionString: url, maxConnections: 2 }));
  const written = await Promise.all(
    stores.map((store, index) => store.forScope(`scope-${index}`).write([makeSpan()])),
  );
  expect(written.map((receipt) => receipt.written)).toEqual([1, 1, 1, 1]);

  await admin.query("INSERT INTO traces.migration (version) VALUES (99)");
  const older = openStore({ connectionString: url, schema: "traces" });
  await refused(older.forScope("scope").listExecutions(), "schema_mismatch", "version 99");
  await admin.query("CREATE SCHEMA shop; CREATE TABLE shop.scope (id int)");
  const foreign = openStore({ connectionString: url, schema: "shop" });
  await refused(foreign.forScope("scope").listExecutions(), "schema_mismatch", "another application");
  expect(
    (await admin.query("SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'shop'")).rows,
  ).toEqual([{ n: 1 }]);
});

check(named("what was written by hand into derived rows is found and mended by recompute"), async () => {
  const url = await server.createDatabase();
  const scope = openStore({ connectionString: url }).forScope("scope");
  await scope.write([0, 1, 2, 3].map(sharedSpan));
  const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "workflow" as const };
  const answers = async (): Promise<unknown[]> => [
    (await scope.listExecutions({ sort: { by: "cost", direction: "desc" } })).items.map(
      ({ seq, ...rest }) => rest,
    ),
    await scope.getDailyCosts(query),
    await scope.getAnalytics(query),
  ];
  const before = await answers();
  const admin = await connect(url);
  await admin.query(`UPDATE spanloom.usage SET nano_usd = nano_usd + 1; UPDATE spanloom.stat SET n = n + 1;
    UPDATE spanloom.execution SET nano_usd = 0, summary = jsonb_set(summary::jsonb, '{spanCount}', '77')::json`);
  expect(await answers()).not.toEqual(before);
  expect(await scope.recompute()).toEqual({
    executions: 1,
    corrected: ["shared", "daily sums", "analytics"],
  });
  expect(await answers()).toEqual(before);
  expect(await scope.recompute()).toEqual({ executions: 1, corrected: [] });
  expect((await scope.write([sharedSpan(4)])).written).toBe(1);
  expect((await scope.recompute()).corrected).toEqual([]);
});

check(named("records that JSONB cannot hold are stored as text, and all others as JSONB"), async () => {
  const url = await server.createDatabase();
  const scope = openStore({ connectionString: url }).forScope("scope");
  const odd = makeSpan({ spanId: "00000000000000b2", input: textContent("nul \u0000 and half \ud800") });
  await scope.write([
    makeSpan({ input: textContent("ordinary \\u0000") }),
    makeSpan({ spanId: "00000000000000b3" }),
    odd,
  ]);
  expect(await scope.getSpan("execution-1", odd.spanId)).toEqual(odd);
  const admin = await connect(url);
  const { rows } = await admin.query(
    "SELECT count(rest)::int AS jsonb, count(rest_text)::int AS text FROM spanloom.span",
  );
  expect(rows[0].jsonb + rows[0].text).toBe(3);
  expect(rows[0].jsonb).toBeGreaterThanOrEqual(1);
});

test("options that cannot be used are refused at once", () => {
  for (const options of [
    {},
    { connectionString: "" },
    { connectionString: "postgres://x", schema: "" },
    { connectionString: "postgres://x", schema: "x".repeat(64) },
    { connectionString: "postgres://x", migrations: "maybe" },
    { connectionString: "postgres://x", statementTimeoutMs: 0 },
  ]) {
    expect(() => createPostgresStore(options as PostgresStoreOptions)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});

function openStore(options: PostgresStoreOptions): ReturnType<typeof createPostgresStore> {
  const store = createPostgresStore({ retention: false, ...options });
  ends.push(() => store.close());
  return store;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  ends.push(() => client.end().catch(() => {}));
  return client;
}

/** Resolves when some connection listens. */
async function listening(url: string): Promise<void> {
  const client = await connect(url);
  for (;;) {
    const { rowCount } = await client.query(
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle'",
    );
    if (rowCount === 1) return;
  }
}

function startWriter(url: string, first: number, count: number): ChildProcess {
  const script = join(import.meta.dirname, "writer-process.test-support.ts");
  const args = ["--conditions=@spanloom/source", script, url, String(first), String(count)];
  const writer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  ends.push(async () => {
    writer.kill("SIGKILL");
  });
  return writer;
}

async function refused(call: Promise<unknown>, code: string, what: string): Promise<void> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isSpanloomError(error))
    throw new Error(`It was not refused by an error of the family, but gave ${String(error)}.`);
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(what)]);
  expect(error.fix).toBeTruthy();
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("It is not there.");
  return value;
}
