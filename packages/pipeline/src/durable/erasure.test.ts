import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DeadLetter, DeadLetters, readDeadLetters, rewriteDeadLetters } from "./dead-letters.ts";
import type { LoggedRecord, Place } from "./log-directory.ts";
import { SpillLog } from "./spill-log.ts";
import { temporaryDirectories } from "./temporary-directory.test-support.ts";

const directory = temporaryDirectories();

const span = (executionId: string, name: string): SpanRecord => makeSpan({ executionId, name });

function bytesIn(path: string): string {
  return globSync("**", { cwd: path, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

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

describe("a spill log", () => {
  test("forgets an execution: nothing of it is read, counted or left in the bytes, whatever went on meanwhile", async () => {
    const operation = fc.oneof(
      fc.record({
        do: fc.constant("append" as const),
        to: fc.constantFrom("keep", "erase"),
        count: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({ do: fc.constant("appendSync" as const), to: fc.constantFrom("keep", "erase") }),
      fc.record({
        do: fc.constantFrom("read" as const, "settle" as const, "release" as const, "erase" as const),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 30 }), fc.boolean(), async (operations, restart) => {
        const path = directory();
        let log = new SpillLog({ directory: path, segmentBytes: 2_000 });
        const waits = new Set<string>();
        const held = new Map<string, Place>();
        let lost = 0;
        let next = 0;
        const added = (place: Place, to: string, name: string): void => {
          if (to === "keep") waits.add(name);
          held.set(name, place);
        };
        const running: Promise<unknown>[] = [];
        for (const each of operations) {
          if (each.do === "append") {
            const names = Array.from({ length: each.count }, () => `${each.to}-${next++}`);
            const records = names.map((name) => span(each.to, name));
            running.push(log.append(records, (place, index) => added(place, each.to, names[index] ?? "")));
          } else if (each.do === "appendSync") {
            const name = `${each.to}-${next++}`;
            added(log.appendSync(span(each.to, name)), each.to, name);
          } else if (each.do === "erase") running.push(log.deleteExecution("erase", () => undefined));
          else if (each.do === "read") {
            const take = ({ place, record }: LoggedRecord): unknown => held.set(record.name, place);
            running.push(
              log.read(2, 1_000_000).then((result) => {
                lost += result.lost;
                result.records.forEach(take);
              }),
            );
          } else {
            const [first] = held;
            if (first === undefined) continue;
            held.delete(first[0]);
            if (each.do === "release") log.release([first[1]]);
            else {
              waits.delete(first[0]);
              log.settle(first[1]);
            }
          }
        }
        await Promise.all(running);
        // Whoever holds records of it lets go of them for good, and it is forgotten as a whole.
        for (const [name, place] of held) if (name.startsWith("erase")) log.settle(place);
        await log.deleteExecution("erase", () => undefined);
        expect(bytesIn(path)).not.toContain('"erase"');
        log.release([...held].filter(([name]) => name.startsWith("keep")).map(([, place]) => place));
        expect(log.pending).toBe(waits.size);
        if (restart) {
          await log.close();
          log = new SpillLog({ directory: path });
          expect(await log.takeOver()).toEqual({ records: waits.size, damaged: 0 });
        }
        const rest = await drain(log);
        // Sent twice at most, never lost.
        expect(new Set(rest.names)).toEqual(waits);
        expect(lost + rest.lost).toBe(0);
        await log.close();
      }),
      { numRuns: 60 },
    );
  });

  test("says how many of them waited: each once, and none that somebody holds", async () => {
    const path = directory();
    const log = new SpillLog({ directory: path });
    const places = ["a", "b", "c", "d"].map((name) =>
      log.appendSync(span(name === "d" ? "keep" : "erase", name)),
    );
    log.release(places.slice(1));
    let settled = 0;
    const erase = (): Promise<void> => log.deleteExecution("erase", (count) => (settled += count));
    await Promise.all([erase(), erase()]);
    expect(settled).toBe(2);
    expect(log.pending).toBe(2);
    log.settle(places[0] as Place);
    expect((await drain(log)).names).toEqual(["d"]);
    await log.close();
  });

  test("that a crash left with a file half written anew reads the old one and drops the draft", async () => {
    const path = directory();
    const first = new SpillLog({ directory: path });
    first.appendSync(span("keep", "a"));
    await first.close();
    const [segment = ""] = globSync(`${path}/*.log/*.log`);
    writeFileSync(`${segment}.draft`, "half of it");
    const log = new SpillLog({ directory: path });
    expect(await log.takeOver()).toEqual({ records: 1, damaged: 0 });
    expect((await drain(log)).names).toEqual(["a"]);
    await log.close();
    expect(bytesIn(path)).not.toContain("half of it");
  });
});

describe("dead letters", () => {
  const letter = (executionId: string): DeadLetter => ({
    time: "2026-11-21T00:00:00.000Z",
    code: "invalid_record",
    reason: `quotes secret-of-${executionId}`,
    record: makeSpan({ executionId, name: `secret-of-${executionId}` }),
  });

  const lettersIn = async (path: string): Promise<DeadLetter[]> => {
    const letters: DeadLetter[] = [];
    for await (const one of readDeadLetters(path)) letters.push(one);
    return letters.sort((a, b) => (a.record.executionId < b.record.executionId ? -1 : 1));
  };

  test("are rewritten by a function, of all processes: changed, removed or as they were", async () => {
    const path = directory();
    await new DeadLetters({ directory: path }).write([letter("a"), letter("b")]);
    await new DeadLetters({ directory: path }).write([letter("c")]);
    writeFileSync(join(path, "1-torn.jsonl"), `${JSON.stringify(letter("d")).slice(0, -9)}`);
    await rewriteDeadLetters({
      directory: path,
      rewrite: (record) => {
        if (record.executionId === "a") return undefined;
        return record.executionId === "b" ? { ...record, name: "[redacted]" } : record;
      },
    });
    const [b, c, ...more] = await lettersIn(path);
    expect(more).toEqual([]);
    expect(b).toMatchObject({ code: "invalid_record", record: { executionId: "b", name: "[redacted]" } });
    expect(c).toEqual(letter("c"));
    expect(bytesIn(path)).not.toMatch(/secret-of-[abd]|draft/);
  });

  test("stay as they are when the function fails", async () => {
    const path = directory();
    await new DeadLetters({ directory: path }).write([letter("a"), letter("b")]);
    const rewrite = (record: SpanRecord): undefined => {
      if (record.executionId === "b") throw new Error("no");
    };
    await expect(rewriteDeadLetters({ directory: path, rewrite })).rejects.toThrow("no");
    expect(await lettersIn(path)).toEqual([letter("a"), letter("b")]);
  });

  test("that are written meanwhile are kept", async () => {
    const path = directory();
    const letters = new DeadLetters({ directory: path });
    await letters.write([letter("a"), letter("b")]);
    const [{ removed }] = await Promise.all([
      letters.rewrite((record) => (record.executionId === "a" ? undefined : record)),
      letters.write([letter("c")]),
      letters.write([letter("d")]),
    ]);
    expect(removed).toBe(1);
    expect((await lettersIn(path)).map(({ record }) => record.executionId)).toEqual(["b", "c", "d"]);
  });
});
