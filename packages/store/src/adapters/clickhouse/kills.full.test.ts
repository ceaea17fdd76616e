import { afterAll, describe, test } from "vitest";
import { crash } from "../../testing/crash.ts";
import { Kit } from "../../testing/harness.ts";
import { clientOf, harness } from "./harness.test-support.ts";
import { type RunningClickHouse, startClickHouse } from "./test-server.test-support.ts";

const server = await startClickHouse();
const reason = "missing" in server ? server.missing : undefined;

describe.skipIf(reason !== undefined)(
  `writers that are killed fifty times${reason ? ` (skipped: ${reason})` : ""}`,
  () => {
    const { url, stop } = server as RunningClickHouse;
    const client = clientOf(url);
    afterAll(async () => {
      await client.close();
      await stop();
    });

    // One chapter of the kit, with an engine of its own: it takes as long as all others.
    new Kit({
      name: "clickhouse",
      runner: { describe, test },
      features: { durable: true },
      kills: 50,
      ...harness(url, client),
    }).chapter("crash", crash);
  },
);
