import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { openEmptyStore } from "./postgres/open-store.test-support.ts";
import { pglitePool } from "./postgres/pglite.test-support.ts";

// PostgreSQL inside this process. The same on a server, with several processes: postgres.full.test.ts.
let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
}, 120_000);
afterAll(() => database.close());

storeConformance({
  name: "PostgreSQL in PGlite",
  runner: { describe, test },
  features: { durable: true },
  histories: 3,
  open: () => openEmptyStore(pglitePool(database)),
});
