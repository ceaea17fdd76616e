import { afterAll, describe, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { clientOf, harness } from "./clickhouse/harness.test-support.ts";
import { type RunningClickHouse, startClickHouse } from "./clickhouse/test-server.test-support.ts";

const server = await startClickHouse();
const reason = "missing" in server ? server.missing : undefined;

describe.skipIf(reason !== undefined)(
  `a real ClickHouse engine${reason ? ` (skipped: ${reason})` : ""}`,
  () => {
    const { url, stop } = server as RunningClickHouse;
    const client = clientOf(url);
    afterAll(async () => {
      await client.close();
      await stop();
    });

    storeConformance({
      name: "clickhouse",
      runner: { describe, test },
      features: { durable: true },
      // Every write is some round trips to a server that does one thing after the other.
      histories: 3,
      // Those that writers do not survive are tried beside this, in kills.full.test.ts.
      kills: 1,
      ...harness(url, client),
    });
  },
);
