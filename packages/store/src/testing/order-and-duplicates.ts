import { canonicalJson } from "@spanloom/model";
import { equal, ok } from "./assert.ts";
import { checkExecution, Expected, Follower, withoutSeq } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { createRandom } from "./random.ts";
import { randomHistory } from "./random-history.ts";

/** Random histories, compared with the reference on the way and at the end. */
export function orderAndDuplicates({ test, histories, features }: Chapter): void {
  for (let seed = 1; seed <= histories; seed++) {
    test(`history ${seed}: any order, repetition and revision ends in what the reference says`, async (opened) => {
      const store = opened.forScope("scope");
      const random = createRandom(seed + 1_000_000);
      const expected = new Expected();
      const { batches, executionIds } = randomHistory(seed);
      const followers = executionIds.map((id) => new Follower(id));
      const seen = new Map<string, { answer: string; seq: number }>();
      for (const [index, batch] of batches.entries()) {
        const receipt = await store.write(batch);
        equal(receipt.rejected, [], "rejected records");
        equal(receipt.written + receipt.unchanged, batch.length, "records accounted for");
        expected.add(batch);
        if (index < batches.length - 1 && random.chance(0.7)) continue;
        for (const follower of followers) {
          await follower.catchUp(store, 1 + random.int(20));
          follower.check(expected);
        }
        for (const executionId of executionIds) {
          const detail = await checkExecution(store, expected, executionId, 1 + random.int(30));
          const before = seen.get(executionId);
          if (detail === undefined) continue;
          const answer = canonicalJson(withoutSeq(detail));
          const told = before === undefined || before.answer === answer || detail.seq > before.seq;
          ok(told, `${executionId} changed and its seq stayed ${detail.seq}`);
          ok(detail.seq >= (before?.seq ?? 1), `the seq of ${executionId} went back to ${detail.seq}`);
          seen.set(executionId, { answer, seq: detail.seq });
        }
      }
      const everything = random.shuffled(batches.flat());
      const again = await store.write(everything);
      equal(again, { written: 0, unchanged: everything.length, rejected: [] }, "everything written again");
      const summaries = await store.getExecutions(executionIds);
      for (const { executionId, seq } of summaries) {
        equal(seq, seen.get(executionId)?.seq, `the seq of ${executionId} after a retry`);
      }
      const listed = (await store.listExecutions({ limit: 500 })).items
        .map((item) => item.executionId)
        .sort();
      equal(listed, summaries.map((item) => item.executionId).sort(), "listed executions");
      if (!features.administration) return;
      const recomputed = await store.recompute?.();
      equal(recomputed, { executions: summaries.length, corrected: [] }, "recompute");
    });
  }
}
