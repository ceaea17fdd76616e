import {
  canonicalJson,
  compareRecords,
  type JsonValue,
  type SpanRecord,
  spanKey,
  type TraceStore,
} from "@spanloom/model";
import { equal, ok, present } from "./assert.ts";
import { checkAll } from "./concurrency.ts";
import { Expected, Follower, readAll } from "./expected.ts";
import { type Chapter, openHere, type TestedProcesses, type TestedStore } from "./harness.ts";
import { createRandom, type Random } from "./random.ts";
import { randomHistory } from "./random-history.ts";
import { root } from "./spans.ts";
import { StoreProcess } from "./store-process.ts";

/** Writes that a process has under way at once when it is killed. */
const IN_FLIGHT = 3;

/** A process is killed with `kill -9` while it writes: what it was told to be stored is there, and every sum is right. */
export function crash({ needs, processes, kills, figure }: Chapter): void {
  const test = needs("durable", "processes");
  const seen = { kills: 0, acknowledged: 0, underWay: 0 };

  for (let seed = 1; seed <= kills; seed++) {
    test(`kill ${seed}: every acknowledged record is there, and sums are right over what is there`, async () => {
      await onFreshData(processes, async (tested, config) => {
        const random = createRandom(seed + 31_000);
        const batches = crashBatches(seed);
        const killed = await writeAndKill(tested, config, batches, random);
        await inspect(tested, config, killed);
        seen.kills++;
        seen.acknowledged += killed.acknowledged.length;
        seen.underWay += killed.sent.length - killed.acknowledged.length;
        figure("processes killed with kill -9", seen.kills);
        figure("writes acknowledged before a kill", seen.acknowledged);
        figure("writes under way at a kill", seen.underWay);
        // Whoever was not told writes again, from the beginning, in a process that lives.
        const child = await StoreProcess.start(tested, config);
        for (const batch of batches)
          equal((await child.write("scope", batch)).rejected, [], "rejected records");
        await child.close();
        await opened(tested, config, async (store) => {
          const expected = new Expected();
          expected.add(batches.flat());
          await checkAll(store, expected, followersOf(expected));
        });
      });
    });
  }

  needs(
    "durable",
    "processes",
    "administration",
  )("a deletion that was acknowledged survives a kill", async () => {
    await onFreshData(processes, async (tested, config) => {
      const child = await StoreProcess.start(tested, config);
      const ids = Array.from({ length: 12 }, (_, index) => `run-${index}`);
      await child.write(
        "scope",
        ids.map((id, index) => root(id, index + 1)),
      );
      const gone: string[] = [];
      for (const id of ids.slice(0, 8)) {
        const deleting = child.call("scope", "deleteExecution", [id]).then(() => gone.push(id));
        if (gone.length < 5) await deleting;
        else {
          await Promise.all([deleting.catch(() => undefined), child.kill()]);
          break;
        }
      }
      await opened(tested, config, async (store) => {
        const left = new Set(
          (await store.listExecutions({ limit: 500 })).items.map((one) => one.executionId),
        );
        for (const id of gone) ok(!left.has(id), `${id} is back`);
        for (const id of ids.slice(8)) ok(left.has(id), `${id} was lost`);
        const late = await store.write(gone.map((id) => root(id, ids.indexOf(id) + 1)));
        equal(late.rejected.length, gone.length, "late spans of what was deleted");
        equal((await store.recompute?.())?.corrected, [], "what recompute corrected");
      });
    });
  });
}

interface Killed {
  /** Batches that were given to the process. */
  sent: SpanRecord[][];
  /** Those of them whose write resolved. */
  acknowledged: SpanRecord[][];
}

/** Writes batches, several at once, until a random moment. */
async function writeAndKill(
  tested: TestedProcesses,
  config: JsonValue,
  batches: readonly SpanRecord[][],
  random: Random,
): Promise<Killed> {
  const child = await StoreProcess.start(tested, config);
  const killed: Killed = { sent: [], acknowledged: [] };
  const killAfter = 1 + random.int(Math.floor(batches.length * 0.8));
  let alive = true;
  let dying: Promise<void> | undefined;
  const writer = async (): Promise<void> => {
    while (alive) {
      const batch = batches[killed.sent.length];
      if (batch === undefined) return;
      killed.sent.push(batch);
      try {
        const receipt = await child.write("scope", batch);
        killed.acknowledged.push(batch);
        equal(receipt.rejected, [], "rejected records");
      } catch (error) {
        if (alive) throw error;
        return;
      }
      if (killed.acknowledged.length >= killAfter) {
        // Somewhere inside the next write, not always at its beginning.
        dying ??= afterMs(random.int(12)).then(() => {
          alive = false;
          return child.kill();
        });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
  } finally {
    alive = false;
    await (dying ?? child.kill());
  }
  return killed;
}

/** Opens what the process left behind, and holds it against what it was told. */
async function inspect(tested: TestedProcesses, config: JsonValue, killed: Killed): Promise<void> {
  await opened(tested, config, async (store) => {
    const stored = await readStore(store);
    const byKey = new Map(stored.map((record) => [spanKey(record), record]));
    for (const record of killed.acknowledged.flat()) {
      const kept = present(byKey.get(spanKey(record)), `the acknowledged span ${spanKey(record)}`);
      // A span that was named late is read with its execution's id.
      const asWritten = { ...kept, executionId: record.executionId };
      const lost = compareRecords(asWritten, record) < 0 && compareRecords(kept, record) < 0;
      ok(!lost, `an older state of the acknowledged span ${spanKey(record)} is stored`);
    }
    const sent = new Set(killed.sent.flat().map((record) => canonicalJson({ ...record, executionId: "" })));
    for (const record of stored) {
      ok(sent.has(canonicalJson({ ...record, executionId: "" })), `nobody wrote ${canonicalJson(record)}`);
    }
    const expected = new Expected();
    expected.add(stored);
    await checkAll(store, expected, followersOf(expected));
  });
}

async function readStore(store: TestedStore): Promise<SpanRecord[]> {
  const { items } = await store.listExecutions({ limit: 500 });
  const spans: SpanRecord[] = [];
  for (const { executionId } of items) spans.push(...((await readAll(store, executionId)) ?? []));
  return spans;
}

/** Histories of several executions, cut small, so that a kill finds many writes before and after it. */
function crashBatches(seed: number): SpanRecord[][] {
  const histories = [1, 2, 3].map((part) => randomHistory(seed * 100 + part));
  const batches = histories.flatMap(({ batches }, index) =>
    batches.map((batch) =>
      batch.map((record) => {
        const named = record.executionId !== record.traceId;
        return named ? { ...record, executionId: `${index}-${record.executionId}` } : record;
      }),
    ),
  );
  return createRandom(seed).shuffled(batches);
}

function followersOf(expected: Expected): Follower[] {
  return expected.executionIds().map((id) => new Follower(id));
}

async function opened(
  tested: TestedProcesses,
  config: JsonValue,
  body: (store: TestedStore) => Promise<void>,
): Promise<void> {
  const store: TraceStore = await openHere(tested, config);
  try {
    await body(store.forScope("scope"));
  } finally {
    await store.close();
  }
}

async function onFreshData(
  tested: TestedProcesses | undefined,
  body: (tested: TestedProcesses, config: JsonValue) => Promise<void>,
): Promise<void> {
  const processes = present(tested, "processes of the harness");
  const config = await processes.config();
  try {
    await body(processes, config);
  } finally {
    await processes.remove?.(config);
  }
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
