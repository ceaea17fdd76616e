import { createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type RunningClickHouse, startClickHouse } from "../../../../scripts/clickhouse-server.ts";
import { storeConformance } from "../testing/index.ts";
import { createClickHouseStore } from "./clickhouse.ts";

const server = await startClickHouse();
const reason = "missing" in server ? server.missing : undefined;

describe.skipIf(reason !== undefined)(
  `a real ClickHouse engine${reason ? ` (skipped: ${reason})` : ""}`,
  () => {
    const { url } = server as RunningClickHouse;
    const client = createClient({ url, request_timeout: 120_000 });
    let databases = 0;
    afterAll(async () => {
      await client.close();
      await (server as RunningClickHouse).stop();
    });
    beforeAll(() => {});

    storeConformance({
      name: "clickhouse",
      runner: { describe, test },
      features: { durable: true },
      histories: 5,
      async open() {
        const database = `kit_${process.pid}_${databases++}`;
        const options = { client, database, retention: false } as const;
        let store = createClickHouseStore(options);
        return {
          forScope: (scope) => store.forScope(scope),
          prune: (request) => store.prune(request),
          reopen: async () => {
            await store.close();
            store = createClickHouseStore(options);
          },
          close: async () => {
            await store.close();
            await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
          },
        };
      },
    });
  },
);
