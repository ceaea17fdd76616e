import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpanRecord } from "@spanloom/model";
import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { afterEach, expect, test } from "vitest";
import { createJsonFilesStore } from "../json-files.ts";

/** Of the operating system, not of a package. */
const tools = { mount: "mount", unmount: "umount" };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A disk of its own, so small that a store fills it; `undefined` where this user may not mount one. */
function smallDisk(megabytes: number): { path: string; grow(megabytes: number): void } | undefined {
  const path = mkdtempSync(join(tmpdir(), "spanloom-disk-"));
  cleanUps.push(() => rmSync(path, { recursive: true, force: true }));
  const mount = (options: string): void => {
    execFileSync(tools.mount, ["-t", "tmpfs", "-o", options, "tmpfs", path], { stdio: "ignore" });
  };
  try {
    mount(`size=${megabytes}m`);
  } catch {
    return undefined;
  }
  cleanUps.push(() => execFileSync(tools.unmount, [path]));
  return { path, grow: (size) => mount(`remount,size=${size}m`) };
}

test("on a full disk reads go on, writes say so and leave nothing, and when there is room again they go on", async (context) => {
  const disk = smallDisk(2);
  if (disk === undefined) return context.skip("this user may not mount a small disk");
  const store = createJsonFilesStore({ folder: join(disk.path, "traces"), retention: false });
  cleanUps.push(() => store.close());
  const scope = store.forScope("scope");
  const stored: string[] = [];
  let full: unknown;
  for (let number = 0; full === undefined && number < 100; number++) {
    await scope.write(run(number)).then(
      () => stored.push(`run-${number}`),
      (error: unknown) => {
        full = error;
      },
    );
  }
  expect(full).toMatchObject({ code: "store_full", fix: expect.stringContaining("Make room") });
  expect(stored.length).toBeGreaterThan(3);
  // Not even small writes fit, or those that do are whole.
  for (let number = 200; number < 203; number++) {
    await scope.write(run(number)).then(
      () => stored.push(`run-${number}`),
      () => undefined,
    );
  }
  await check();

  disk.grow(8);
  await scope.write(run(300));
  stored.push("run-300");
  await check();
  expect(await scope.recompute()).toMatchObject({ executions: stored.length, corrected: [] });

  async function check(): Promise<void> {
    // This store, and one that reads what is on the disk.
    const other = createJsonFilesStore({ folder: join(disk?.path ?? "", "traces"), retention: false });
    for (const reader of [scope, other.forScope("scope")]) {
      const { items } = await reader.listExecutions({ limit: 500 });
      expect(items.map((one) => one.executionId).sort()).toEqual(stored.toSorted());
      for (const { executionId } of items) {
        const page = await reader.getTrace(executionId, { view: "full" });
        expect(page?.spans.map((span) => span.input?.state)).toEqual(Array(5).fill("captured"));
      }
    }
    await other.close();
  }
});

/** Some 150 kB. */
function run(number: number): SpanRecord[] {
  return Array.from({ length: 5 }, (_, index) =>
    makeSpan({
      executionId: `run-${number}`,
      traceId: (number + 1).toString(16).padStart(32, "0"),
      spanId: (index + 1).toString(16).padStart(16, "0"),
      input: textContent("0123456789".repeat(3_000)),
    }),
  );
}
