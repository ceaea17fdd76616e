import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, globSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import fc from "fast-check";
import { expect, test } from "vitest";
import { program } from "./abandon.test-support.ts";
import type { Place } from "./log-directory.ts";
import { SpillLog } from "./spill-log.ts";
import { temporaryDirectories } from "./temporary-directory.test-support.ts";

const directory = temporaryDirectories();

const span = (name: string): SpanRecord => makeSpan({ name });

/** Lets go of what was written, so that it can be read. */
function leave(log: SpillLog, ...names: string[]): Place[] {
  const places = names.map((name) => log.appendSync(span(name)));
  log.release(places);
  return places;
}

/** Everything that can be read, by name, settled as it is read. */
async function drain(log: SpillLog): Promise<{ names: string[]; lost: number }> {
  const names: string[] = [];
  let lost = 0;
  for (;;) {
    const result = await log.read(3, 1_000_000);
    lost += result.lost;
    if (result.records.length === 0) return { names, lost };
    for (const { place, record } of result.records) {
      names.push(record.name);
      log.settle(place);
    }
  }
}

/** A process that wrote so many records, the first of them settled, and was killed. */
async function killedWriter(path: string, count: number, settled = 0): Promise<void> {
  const args = ["--conditions=@spanloom/source", program, path, String(count), String(settled)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("records come back in their order, whole, and leave nothing behind once they are settled", async () => {
  const path = directory();
  const log = new SpillLog({ directory: path });
  const odd = makeSpan({ name: "line\nbreak \ud800 é 🧵", attributes: { deep: { list: [1, null, "x"] } } });
  const places: Place[] = [];
  await log.append([odd, span("b")], (place) => places.push(place));
  places.push(log.appendSync(span("c")));
  expect(log.pending).toBe(3);
  expect((await log.read(10, 1_000_000)).records).toEqual([]);
  log.release(places);
  const { records } = await log.read(10, 1_000_000);
  expect(records.map(({ record }) => record)).toEqual([odd, span("b"), span("c")].map(asJson));
  for (const { place } of records) log.settle(place);
  expect(log.pending).toBe(0);
  await log.close();
  expect(readdirSync(path)).toEqual([]);
});

test("what a killed process left is taken over by one of those that look, without what was settled", async () => {
  const path = directory();
  await killedWriter(path, 10, 4);
  const logs = [1, 2, 3].map(() => new SpillLog({ directory: path }));
  const found = await Promise.all(logs.map((log) => log.takeOver()));
  expect(found.map(({ records }) => records).toSorted()).toEqual([0, 0, 6]);
  const winner = logs[found.findIndex(({ records }) => records > 0)] ?? new SpillLog({ directory: path });
  expect(await drain(winner)).toEqual({ names: ["4", "5", "6", "7", "8", "9"], lost: 0 });
  for (const log of logs) await log.close();
  expect(readdirSync(path)).toEqual([]);
});

test("a process that is killed while it drives what it took over passes it on", async () => {
  const path = directory();
  await killedWriter(path, 3);
  const second = new SpillLog({ directory: path });
  await second.takeOver();
  const [first] = (await second.read(1, 1_000_000)).records;
  if (first !== undefined) second.settle(first.place);
  await second.close();
  const third = new SpillLog({ directory: path });
  expect(await third.takeOver()).toEqual({ records: 2, damaged: 0 });
  expect((await drain(third)).names).toEqual(["1", "2"]);
  await third.close();
});

test("nobody robs a process that lives; what it leaves when it closes may be taken", async () => {
  const path = directory();
  const alive = new SpillLog({ directory: path });
  leave(alive, "a", "b");
  const other = new SpillLog({ directory: path });
  expect(await other.takeOver()).toEqual({ records: 0, damaged: 0 });
  await alive.close();
  expect(await other.takeOver()).toEqual({ records: 2, damaged: 0 });
  expect((await drain(other)).names).toEqual(["a", "b"]);
  await other.close();
});

test("a torn last line was never accepted: it is no damage", async () => {
  const path = directory();
  await killedWriter(path, 3);
  const [segment = ""] = globSync(join(path, "*~0.log/*.log"));
  appendFileSync(segment, readFileSync(segment).subarray(0, 40));
  const log = new SpillLog({ directory: path });
  expect(await log.takeOver()).toEqual({ records: 3, damaged: 0 });
  expect(await drain(log)).toEqual({ names: ["0", "1", "2"], lost: 0 });
  await log.close();
});

test("a damaged line is skipped and counted, and the others are read, in a log that was found and in one's own", async () => {
  const path = directory();
  await killedWriter(path, 5);
  damage(globSync(join(path, "*~0.log/*.log"))[0] ?? "", '"name":"2"');
  const log = new SpillLog({ directory: path });
  expect(await log.takeOver()).toEqual({ records: 4, damaged: 1 });
  expect(await drain(log)).toEqual({ names: ["0", "1", "3", "4"], lost: 0 });
  leave(log, "a", "b", "c");
  damage(globSync(join(path, "*~0.log/*.log"))[0] ?? "", '"name":"c"');
  expect(await drain(log)).toEqual({ names: ["a", "b"], lost: 1 });
  expect(log.pending).toBe(0);
  await log.close();
});

test("the log is bounded in bytes; a record beyond is refused, and taken when there is room again", async () => {
  const log = new SpillLog({ directory: directory(), maxBytes: 20_000 });
  const places: Place[] = [];
  const fill = (): void => {
    for (let index = 0; index < 100; index++) places.push(log.appendSync(span(String(index))));
  };
  expect(fill).toThrow(/bound of 20000 bytes.*maxBytes/);
  const kept = places.length;
  expect(kept).toBeGreaterThan(20);
  log.release(places);
  expect((await drain(log)).names).toHaveLength(kept);
  await expect.poll(() => log.appendSync(span("after"))).toBeDefined();
  await log.close();
});

test("records are read although a reader went past them while they were being written", async () => {
  for (let round = 0; round < 100; round++) {
    const log = new SpillLog({ directory: directory() });
    const writing = log.append([span("slow"), span("slower")], (place) => log.release([place]));
    // The first file is busy by now: what is written at once goes to the next one.
    await Promise.resolve();
    leave(log, "quick");
    const { records } = await log.read(1, 1_000_000);
    await writing;
    const { names, lost } = await drain(log);
    expect([...records.map(({ record }) => record.name), ...names].toSorted()).toEqual([
      "quick",
      "slow",
      "slower",
    ]);
    expect(lost).toBe(0);
    for (const { place } of records) log.settle(place);
    await log.close();
  }
});

test("whatever is written, read, settled, let go and passed on, in any order: nothing that is not settled is lost or read twice at a time", async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constantFrom("append", "appendSync", "appendAndNot"),
      count: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({
      do: fc.constantFrom("settle", "release", "settleOdd"),
      count: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ do: fc.constantFrom("reopen"), count: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const path = directory();
      // Small files, so that many begin and end.
      const options = { directory: path, segmentBytes: 1_500, maxBytes: 10_000_000 };
      let log = new SpillLog(options);
      const open = new Map<string, Place | undefined>();
      let number = 0;
      const names = (count: number): string[] => Array.from({ length: count }, () => String(number++));
      const under: Promise<void>[] = [];
      for (const { do: what, count } of steps) {
        if (what === "append" || what === "appendAndNot") {
          const added = names(count);
          for (const name of added) open.set(name, undefined);
          const writing = log.append(added.map(span), (place) => log.release([place]));
          if (what === "append") await writing;
          else under.push(writing);
        } else if (what === "appendSync") {
          for (const name of names(count)) {
            open.set(name, undefined);
            log.release([log.appendSync(span(name))]);
          }
        } else if (what === "reopen") {
          await log.close();
          log = new SpillLog(options);
          await log.takeOver();
        } else {
          const { records, lost } = await log.read(count, 1_000_000);
          expect(lost).toBe(0);
          for (const [index, { place, record }] of records.entries()) {
            expect(open.has(record.name)).toBe(true);
            if (what === "release" || (what === "settleOdd" && index % 2 === 0)) log.release([place]);
            else {
              log.settle(place);
              open.delete(record.name);
            }
          }
        }
      }
      await Promise.all(under);
      expect(log.pending).toBe(open.size);
      const { names: left, lost } = await drain(log);
      expect(lost).toBe(0);
      expect(left.toSorted()).toEqual([...open.keys()].toSorted());
      await log.close();
      expect(readdirSync(path)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

/** Changes one character of a line, as a disk that forgets would. */
function damage(path: string, what: string): void {
  const text = readFileSync(path, "utf8");
  expect(text).toContain(what);
  writeFileSync(path, text.replace(what, what.replace("name", "nome")));
}

function asJson(record: SpanRecord): unknown {
  return JSON.parse(JSON.stringify(record));
}
