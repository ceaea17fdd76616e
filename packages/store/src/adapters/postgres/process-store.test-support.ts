import type { JsonValue, TraceStore } from "@spanloom/model";
import { createPostgresStore } from "../postgres.ts";

/** Opens the store in a process of the kit: `config` is the connection string. */
export function open(config: JsonValue): TraceStore {
  return createPostgresStore({ connectionString: String(config), retention: false, maxConnections: 4 });
}
