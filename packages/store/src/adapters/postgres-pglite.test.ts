import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type OpenStore, storeConformance } from "../testing/index.ts";
import { pglitePool } from "./postgres/pglite.test-support.ts";
import { createPostgresStore } from "./postgres.ts";

let database: PGlite;
let schemas = 0;
beforeAll(async () => {
  database = await PGlite.create();
});
afterAll(() => database.close());

const open = async (): Promise<OpenStore> => {
  // Each store has a schema of its own in one database.
  const options = { pool: pglitePool(database), schema: `spanloom-${schemas++}`, retention: false } as const;
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
  name: "PostgreSQL in PGlite",
  runner: { describe, test },
  features: { durable: true },
  histories: 10,
  open,
});
