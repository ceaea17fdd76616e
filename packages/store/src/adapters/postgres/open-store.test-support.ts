import type { OpenStore } from "../../testing/index.ts";
import { createPostgresStore, type PostgresPool } from "../postgres.ts";

let schemas = 0;

/** Opens an empty store for one test: a schema of its own in the database of the pool. */
export async function openEmptyStore(pool: PostgresPool): Promise<OpenStore> {
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
}
