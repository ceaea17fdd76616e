import type { JsonValue, SpanRecord, TraceStore } from "@spanloom/model";
import { equal, ok, present } from "./assert.ts";
import { checkAll, nextTurn, renamed } from "./concurrency.ts";
import { checkExecution, Expected, Follower } from "./expected.ts";
import { type Chapter, openHere, type TestedProcesses } from "./harness.ts";
import { createRandom } from "./random.ts";
import { randomHistory } from "./random-history.ts";
import { call, root, span, TRACE } from "./spans.ts";
import { StoreProcess } from "./store-process.ts";

const WRITERS = 4;

/** One store, open in several processes that really run. */
export function severalProcesses({ needs, processes, histories, figure }: Chapter): void {
  const test = needs("concurrentWriters");

  for (const round of [1, 2]) {
    test(`${WRITERS} processes write overlapping histories, round ${round}: nothing lost, nothing doubled`, async () => {
      await together(processes, WRITERS, async (children, here) => {
        const store = here.forScope("scope");
        const random = createRandom(round);
        const all = Array.from({ length: histories }, (_, index) =>
          renamed(randomHistory(round * 10_000 + index), index),
        );
        const batches = random.shuffled(all.flatMap((history) => history.batches));
        const followers = all.flatMap((history) => history.executionIds).map((id) => new Follower(id));
        // Every batch goes to one process, every second one to another, too, at about the same time.
        const tasks = children.map((): SpanRecord[][] => []);
        for (const [index, batch] of batches.entries()) {
          tasks[index % WRITERS]?.push(batch);
          if (random.chance(0.5)) tasks[random.int(WRITERS)]?.push(batch);
        }
        let writing = true;
        const following = (async () => {
          while (writing) {
            for (const follower of followers) await follower.catchUp(store, 25);
            await nextTurn();
          }
        })();
        const writes = children.map(async (child, index) => {
          for (const batch of tasks[index] ?? []) {
            const { rejected } = await child.write("scope", batch);
            equal(rejected, [], "rejected records");
          }
        });
        const written = Promise.all(writes).finally(() => {
          writing = false;
        });
        await Promise.all([written, following]);
        const expected = new Expected();
        expected.add(batches.flat());
        await checkAll(store, expected, followers);
        figure(`records written by ${WRITERS} processes at once, round ${round}`, tasks.flat(2).length);
      });
    });
  }

  test("what one process wrote the others read at once: list, pages, feed, sums", async () => {
    await together(processes, 2, async (children, here) => {
      const store = here.forScope("scope");
      const expected = new Expected();
      const follower = new Follower("run-1");
      for (let turn = 0; turn < 12; turn++) {
        const records = turn === 0 ? [root("run-1", 1, { traceId: TRACE })] : [call(turn + 1, turn, turn)];
        await children[turn % 2]?.write("scope", records);
        expected.add(records);
        await checkExecution(store, expected, "run-1", 5);
        await follower.catchUp(store);
        follower.check(expected);
        const other = await children[(turn + 1) % 2]?.call("scope", "getExecution", ["run-1"]);
        equal(other, await store.getExecution("run-1"), "what the other process reads");
      }
    });
  });

  test("processes that write the same record: one of them wrote it", async () => {
    await together(processes, WRITERS, async (children, here) => {
      for (let turn = 0; turn < 10; turn++) {
        const record = root(`run-${turn}`, turn + 1);
        const receipts = await Promise.all(children.map((child) => child.write("scope", [record])));
        equal(
          receipts.reduce((sum, one) => sum + one.written, 0),
          1,
          `processes that wrote run-${turn}`,
        );
      }
      equal((await here.forScope("scope").listExecutions()).items.length, 10, "executions");
    });
  });

  test("a name that one process gives moves what another wrote, and a deletion holds in all", async () => {
    await together(processes, 2, async ([first, second], here) => {
      const store = here.forScope("scope");
      const expected = new Expected();
      const write = async (child: StoreProcess | undefined, records: SpanRecord[]): Promise<void> => {
        equal((await child?.write("scope", records))?.rejected, [], "rejected records");
        expected.add(records);
        for (const id of [TRACE, "run-1"]) await checkExecution(store, expected, id);
      };
      await write(first, [span(2, 1, { executionId: TRACE }), call(3, 2, 9, { executionId: TRACE })]);
      await write(second, [root("run-1", 1, { traceId: TRACE, usage: { input: 50 } })]);
      await write(first, [call(4, 2, 9, { executionId: TRACE })]);
      equal(await second?.call("scope", "deleteExecution", ["run-1"]), true, "deleteExecution");
      equal(await store.getExecution("run-1"), undefined, "the deleted execution");
      for (const child of [first, second]) {
        const late = await child?.write("scope", [span(5, 1, { executionId: TRACE }), call(6, 2, 9)]);
        equal(
          late?.rejected.map((one) => one.code),
          ["deleted_execution", "deleted_execution"],
          "late spans",
        );
      }
    });
  });

  test("processes on skewed clocks and of several scopes do not touch each other", async () => {
    await together(processes, WRITERS, async (children, here) => {
      await Promise.all(
        children.map(async (child, index) => {
          const skew = BigInt(index - 2) * 86_400_000_000_000n;
          const moved = (time: string): string => (BigInt(time) + skew).toString();
          for (const batch of randomHistory(77).batches) {
            const records = batch.map((one) => ({
              ...one,
              startTime: moved(one.startTime),
              ...(one.endTime !== undefined && { endTime: moved(one.endTime) }),
            }));
            await child.write(`scope-${index}`, records);
          }
        }),
      );
      const { executionIds } = randomHistory(77);
      const counts: number[] = [];
      for (let index = 0; index < WRITERS; index++) {
        const details = await here.forScope(`scope-${index}`).getExecutions(executionIds);
        counts.push(details.reduce((sum, one) => sum + one.spanCount, 0));
        ok(details.length > 0, `scope-${index} is empty`);
      }
      equal(counts, new Array(WRITERS).fill(counts[0]), "spans of each scope");
    });
  });
}

/** Runs with so many child processes on one store, and with the same store open here. */
async function together(
  tested: TestedProcesses | undefined,
  count: number,
  body: (children: StoreProcess[], here: TraceStore) => Promise<void>,
): Promise<void> {
  const processes = present(tested, "processes of the harness");
  const config: JsonValue = await processes.config();
  const children: StoreProcess[] = [];
  try {
    const here = await openHere(processes, config);
    try {
      const starting = Array.from({ length: count }, () => StoreProcess.start(processes, config));
      children.push(...(await Promise.all(starting)));
      await body(children, here);
    } finally {
      await Promise.all(children.map((child) => child.close().catch(() => undefined)));
      await here.close();
    }
  } finally {
    await processes.remove?.(config);
  }
}
