import pg from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import { formatReport, storeConformance } from "../testing/index.ts";
import { openEmptyStore } from "./postgres/open-store.test-support.ts";
import { serverProblem, startTestServer, type TestServer } from "./postgres/test-server.test-support.ts";

const problem = serverProblem();
if (problem !== undefined) test.skip(`PostgreSQL: ${problem}`);
else {
  let server: TestServer;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startTestServer();
    pool = new pg.Pool({ connectionString: await server.createDatabase() });
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  storeConformance({
    name: "PostgreSQL",
    runner: { describe, test },
    features: { durable: true, concurrentWriters: true, large: true },
    histories: 50,
    kills: 50,
    open: () => openEmptyStore(pool),
    processes: {
      module: new URL("./postgres/process-store.test-support.ts", import.meta.url).href,
      config: () => server.createDatabase(),
    },
    report: (report) => console.log(formatReport(report)),
  });
}
