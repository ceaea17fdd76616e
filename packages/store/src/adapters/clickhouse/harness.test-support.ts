import { ClickHouseLogLevel, type ClickHouseClient as Client, createClient } from "@clickhouse/client";
import type { JsonValue, TraceStore } from "@spanloom/model";
import type { OpenStore, TestedProcesses } from "../../testing/index.ts";
import { createClickHouseStore } from "../clickhouse.ts";

/** A type, not an interface: it travels to other processes as JSON. */
type Config = { url: string; database: string };

let databases = 0;

/** The kit's ways to the store, in a database of its own for every test. */
export function harness(
  url: string,
  client: Client,
): { open(): Promise<OpenStore>; processes: TestedProcesses } {
  const drop = (database: string): Promise<unknown> =>
    client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
  return {
    async open() {
      const database = newDatabase();
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
          await drop(database);
        },
      };
    },
    processes: {
      module: import.meta.url,
      config: async () => ({ url, database: newDatabase() }) satisfies Config,
      remove: async (config) => void (await drop((config as Config).database)),
    },
  };
}

export function newDatabase(): string {
  return `kit_${process.pid}_${databases++}`;
}

/** A client as a host would make it, with more patience than a busy machine needs; what fails here is meant to. */
export function clientOf(url: string): Client {
  return createClient({ url, request_timeout: 120_000, log: { level: ClickHouseLogLevel.OFF } });
}

/** Opens the store in whichever process this is loaded. */
export function open(config: JsonValue): TraceStore {
  const { url, database } = config as Config;
  return createClickHouseStore({ url, database, retention: false });
}
