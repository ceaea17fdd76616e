import type { PGlite } from "@electric-sql/pglite";
import type { PostgresClient, PostgresPool } from "./client.ts";

/** PGlite in the place of a `pg` pool: one connection, that one transaction after the other has to itself. */
export function pglitePool(database: PGlite): PostgresPool {
  let last: Promise<void> = Promise.resolve();
  return {
    async connect() {
      const before = last;
      let free = (): void => {};
      last = new Promise((resolve) => {
        free = resolve;
      });
      await before;
      const client: PostgresClient = {
        async query({ text, values }) {
          if (values !== undefined) {
            return database.query<unknown[]>(text, values, { rowMode: "array" });
          }
          await database.exec(text);
          return { rows: [] };
        },
        release: () => free(),
      };
      return client;
    },
  };
}
