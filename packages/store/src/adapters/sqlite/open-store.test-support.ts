// What the kit loads in each process: the store of a file that several of them have open.
import type { JsonValue, TraceStore } from "@spanloom/model";
import { createSqliteStore } from "../sqlite.ts";
import type { SqliteDriverName } from "./driver.ts";

/** @param config The file's path and the driver's name. */
export function open(config: JsonValue): TraceStore {
  const [path, driver] = config as [string, SqliteDriverName];
  return createSqliteStore({ path, driver, retention: false });
}
