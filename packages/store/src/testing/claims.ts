import type { JsonValue, StoreCapabilities } from "@spanloom/model";
import { textContent } from "@spanloom/model/fixtures";
import { equal, holds, ok, present } from "./assert.ts";
import { type Chapter, type OpenStore, openHere, type TestedProcesses } from "./harness.ts";
import { root } from "./spans.ts";
import { StoreProcess } from "./store-process.ts";

type Claim = keyof StoreCapabilities;
/** What the kit saw of a claim; `undefined` where the harness gives no way to look. */
type Finding = boolean | undefined;

const VALUES: Record<Exclude<Claim, "provenSpansPerExecution">, readonly unknown[]> = {
  durability: ["memory", "process-crash", "power-loss"],
  concurrentWriters: [true, false],
  crossProcessReads: [true, false],
  erasure: ["immediate", "eventual"],
};

/**
 * What the store says of itself. Claims gate no test of the kit; here each is held against what can be seen, whatever the
 * harness promises. A loss of power is beyond the kit: of `power-loss` it sees no more than of `process-crash`.
 */
export function claims({ test, needs, features, processes, claim }: Chapter): void {
  test("capabilities are complete, and the same in every scope", async (opened) => {
    const said = opened.forScope("scope").capabilities;
    // A reader behind a network says nothing of the store at its other end.
    if (said === undefined && !features.inProcess) return;
    const capabilities = present(said, "capabilities");
    for (const [name, values] of Object.entries(VALUES)) {
      const value = capabilities[name as Claim];
      ok(values.includes(value), `capabilities.${name} is ${String(value)}, not one of ${values.join(", ")}`);
    }
    const { provenSpansPerExecution: spans } = capabilities;
    ok(Number.isSafeInteger(spans) && spans > 0, `capabilities.provenSpansPerExecution is ${spans}`);
    equal(opened.forScope("another scope").capabilities, capabilities, "capabilities of another scope");
  });

  test("no claim is contradicted by what is seen", async (opened) => {
    const capabilities = opened.forScope("scope").capabilities;
    if (capabilities === undefined) return;
    const seen: Record<Claim, Finding> = {
      durability: await survives(opened, capabilities, processes),
      concurrentWriters: capabilities.concurrentWriters ? await severalWrite(processes) : undefined,
      crossProcessReads: capabilities.crossProcessReads ? await othersAreRead(processes) : undefined,
      erasure: capabilities.erasure === "immediate" ? await erases(opened) : undefined,
      // The chapter on large traces fails where this is wrong.
      provenSpansPerExecution:
        features.large && capabilities.provenSpansPerExecution <= 100_000 ? true : undefined,
    };
    for (const name of Object.keys(seen) as Claim[]) {
      const finding = seen[name] === undefined ? "untried" : seen[name] ? "held" : "contradicted";
      claim({ claim: name, value: String(capabilities[name]), finding });
    }
    const wrong = (Object.keys(seen) as Claim[]).filter((name) => seen[name] === false);
    equal(
      wrong.map((name) => [name, capabilities[name]]),
      [],
      "contradicted claims",
    );
  });

  needs("concurrentWriters")(
    "several writers are claimed where the harness promises them",
    async (opened) => {
      const capabilities = opened.forScope("scope").capabilities;
      const said = [capabilities?.concurrentWriters, capabilities?.crossProcessReads];
      equal(said, [true, true], "concurrentWriters and crossProcessReads");
    },
  );

  needs("durable")("durability is claimed where the harness promises it", async (opened) => {
    const said = opened.forScope("scope").capabilities?.durability;
    ok(said !== "memory", "durability is claimed to be none");
  });
}

async function survives(
  opened: OpenStore,
  { durability }: StoreCapabilities,
  processes: TestedProcesses | undefined,
): Promise<Finding> {
  if (durability === "memory") return undefined;
  if (processes !== undefined) {
    return onData(processes, async (config) => {
      const child = await StoreProcess.start(processes, config);
      await child.write("scope", [root("run-1", 1)]);
      await child.kill();
      return isThere(processes, config);
    });
  }
  if (opened.reopen === undefined) return undefined;
  await opened.forScope("claims").write([root("run-1", 1)]);
  await opened.reopen();
  return (await opened.forScope("claims").getExecution("run-1")) !== undefined;
}

async function severalWrite(processes: TestedProcesses | undefined): Promise<Finding> {
  if (processes === undefined) return undefined;
  return onData(processes, async (config) => {
    const children = await Promise.all([1, 2].map(() => StoreProcess.start(processes, config)));
    try {
      await Promise.all(
        children.map((child, index) => child.write("scope", [root(`run-${index}`, index + 1)])),
      );
    } catch {
      return false;
    } finally {
      await Promise.all(children.map((child) => child.close().catch(() => undefined)));
    }
    const store = await openHere(processes, config);
    try {
      return (await store.forScope("scope").listExecutions()).items.length === 2;
    } finally {
      await store.close();
    }
  });
}

async function othersAreRead(processes: TestedProcesses | undefined): Promise<Finding> {
  if (processes === undefined) return undefined;
  return onData(processes, async (config) => {
    const store = await openHere(processes, config);
    try {
      equal(await store.forScope("scope").changesSince("run-1", 0), undefined, "the feed of an empty store");
      const child = await StoreProcess.start(processes, config);
      try {
        await child.write("scope", [root("run-1", 1)]);
        return (await store.forScope("scope").changesSince("run-1", 0))?.spans.length === 1;
      } finally {
        await child.close();
      }
    } finally {
      await store.close();
    }
  });
}

async function erases(opened: OpenStore): Promise<Finding> {
  const store = opened.forScope("claims of erasure");
  if (opened.bytesOf === undefined || store.deleteExecution === undefined) return undefined;
  const text = "a text to be erased";
  await store.write([root("run-1", 1, { output: textContent(text) })]);
  if (!holds(await opened.bytesOf(), text)) return undefined;
  await store.deleteExecution("run-1");
  return !holds(await opened.bytesOf(), text);
}

async function isThere(processes: TestedProcesses, config: JsonValue): Promise<boolean> {
  const store = await openHere(processes, config);
  try {
    return (await store.forScope("scope").getExecution("run-1")) !== undefined;
  } finally {
    await store.close();
  }
}

async function onData(
  processes: TestedProcesses,
  body: (config: JsonValue) => Promise<boolean>,
): Promise<boolean> {
  const config = await processes.config();
  try {
    return await body(config);
  } finally {
    await processes.remove?.(config);
  }
}
