import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { RecordQueue, type Waiting } from "./record-queue.ts";

const ROOM = 1e9;

test("whatever happens to it, a record waits in its place, is taken once, and a newer state stands for the older ones", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed);
    const pick = (count: number): number => Math.floor(random() * count);
    const queue = new RecordQueue(ROOM);
    /** What should wait, oldest first. */
    let model: Waiting[] = [];
    const latest = new Map<string, Waiting>();
    const sending: Waiting[][] = [];
    for (let step = 0; step < 250; step++) {
      const dice = random();
      if (dice < 0.55) {
        const name = `span ${pick(25)}`;
        const before = latest.get(name);
        const was = before?.state;
        const record = makeSpan({ name, revision: step, executionId: `e${pick(3)}` });
        const entry = queue.put(record, before) as Waiting;
        // It takes the place of a state that waits; one that is under way is told that it need not be sent again.
        expect(entry === before).toBe(was === "waiting");
        if (was === "sending") expect(before?.outdated).toBe(true);
        if (entry !== before) model.push(entry);
        expect(entry.record).toBe(record);
        latest.set(name, entry);
      } else if (dice < 0.75) {
        const count = 1 + pick(8);
        const batch = queue.take(count, ROOM);
        expect(batch).toEqual(model.slice(0, count));
        model = model.slice(count);
        if (batch.length > 0) sending.push(batch);
      } else if (dice < 0.9 && sending.length > 0) {
        const [batch = []] = sending.splice(pick(sending.length), 1);
        const failed = batch.slice(0, pick(batch.length + 1));
        for (const entry of batch.slice(failed.length)) entry.state = "gone";
        expect(queue.putBack(failed)).toEqual(failed.filter(({ outdated }) => outdated));
        model = [...failed.filter(({ outdated }) => !outdated), ...model];
      } else {
        const gone = `e${pick(3)}`;
        const leaves = ({ record }: Waiting): boolean => record.executionId === gone;
        expect(queue.remove(leaves)).toEqual(model.filter(leaves));
        model = model.filter((entry) => !leaves(entry));
      }
      const waiting = [...queue.waiting];
      expect(waiting.length === model.length && waiting.every((entry, at) => entry === model[at])).toBe(true);
      expect(queue.size).toBe(model.length);
      expect(queue.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(model.every(({ state }) => state === "waiting")).toBe(true);
    }
  }
});

/** The same numbers from 0 to 1 for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
    return state / 0x80_00_00_00;
  };
}
