import pg from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type OpenStore, storeConformance } from "../testing/index.ts";
import { createPostgresStore } from "./postgres.ts";
import { serverProblem, startTestServer, type TestServer } from "./postgres/test-server.test-support.ts";

const problem = serverProblem();
if (problem !== undefined) test.skip(`PostgreSQL: ${problem}`);
else {
  let server: TestServer;
  let pool: pg.Pool;
  let schemas = 0;
  beforeAll(async () => {
    server = await startTestServer();
    pool = new pg.Pool({ connectionString: await server.createDatabase() });
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  const open = async (): Promise<OpenStore> => {
    // Each store has a schema of its own in one database.
    const options = { pool, schema: `spanloom-${schemas++}`, retention: false } as const;
    let store = createPostgresStore(options);
    return {
      forScope: (scope) => store.forScope(scope),
      prune: (request) => store.prune(request),
      reopen: async () => {
        await store.close();
        store = createPostgresStore(options);
      },
      close: () => store.close(),
    };
  };

  storeConformance({
    name: "PostgreSQL",
    runner: { describe, test },
    features: { durable: true, concurrentWriters: false },
    histories: 10,
    open,
  });
}
