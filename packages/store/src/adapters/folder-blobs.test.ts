import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpanloomError } from "@spanloom/model";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFolderBlobs } from "./folder-blobs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "spanloom-folder-blobs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error) => (error instanceof SpanloomError ? error.code : String(error)),
  );

async function keysUnder(blobs: ReturnType<typeof createFolderBlobs>, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of blobs.list(prefix)) keys.push(key);
  return keys.sort();
}

test("keeps bytes by key, in a folder that it makes, also for the next process", async () => {
  const blobs = createFolderBlobs(join(folder, "deep", "down"));
  await blobs.put("t-a/1/2/abc", bytes("one"));
  await blobs.put("t-a/1/3/abc", bytes("two"));
  await blobs.put("t-b/1/2/abc", new Uint8Array([0, 255, 10]));
  const again = createFolderBlobs(join(folder, "deep", "down"));
  expect(Array.from((await again.get("t-b/1/2/abc")) ?? [])).toEqual([0, 255, 10]);
  expect(await again.get("t-b/1/2/none")).toBeUndefined();
  expect(await again.get("t-b/1/2/abc/below-a-file")).toBeUndefined();
  expect(await keysUnder(again, "t-a/")).toEqual(["t-a/1/2/abc", "t-a/1/3/abc"]);
  expect(await keysUnder(again, "nobody/")).toEqual([]);
});

test("forgets one key or all below a prefix, and leaves no empty folders", async () => {
  const blobs = createFolderBlobs(folder);
  for (const key of ["t-a/1/2/x", "t-a/1/2/y", "t-a/10/2/x", "t-b/1/2/x"]) await blobs.put(key, bytes(key));
  await blobs.delete("t-a/1/2/x");
  await blobs.delete("t-a/1/2/x");
  expect(await keysUnder(blobs, "t-a/")).toEqual(["t-a/1/2/y", "t-a/10/2/x"]);
  await blobs.deleteUnder("t-a/1/");
  await blobs.deleteUnder("t-a/1/");
  expect(await keysUnder(blobs, "t-a/")).toEqual(["t-a/10/2/x"]);
  await blobs.delete("t-b/1/2/x");
  expect(await readdir(folder)).toEqual(["t-a"]);
});

test("a key that is put again is young again, and other bytes take its place", async () => {
  const blobs = createFolderBlobs(folder);
  const file = join(folder, "t-a", "x");
  await blobs.put("t-a/x", bytes("one"));
  await utimes(file, new Date(0), new Date(0));
  await blobs.put("t-a/x", bytes("one"));
  expect((await stat(file)).mtimeMs).toBeGreaterThan(1_000);
  await blobs.put("t-a/x", bytes("two"));
  expect(await readFile(file, "utf8")).toBe("two");
  expect((await stat(file)).mode & 0o077).toBe(0);
});

test("half of a blob is never one: unfinished files are not listed, and swept when they are old", async () => {
  const blobs = createFolderBlobs(folder);
  await blobs.put("t-a/x", bytes("one"));
  const [fresh, old] = ["x.1.tmp", "x.2.tmp"].map((name) => join(folder, "t-a", name));
  for (const file of [fresh, old]) await writeFile(file ?? "", "o");
  await utimes(old ?? "", new Date(0), new Date(0));
  expect(await keysUnder(blobs, "t-a/")).toEqual(["t-a/x"]);
  expect((await readdir(join(folder, "t-a"))).sort()).toEqual(["x", "x.1.tmp"]);
});

test.each([
  "",
  "/",
  "/etc/passwd",
  "..",
  "../x",
  "t-a/../../x",
  "t-a/./x",
  "t-a//x",
  "t-a/x/",
  "t-a\\..\\x",
  "C:x",
  "t-a/x.tmp",
  "t-a/\0",
  "t-a/é",
  "t-a/ x",
  `t-a/${"x".repeat(400)}`,
  7 as never,
])("nothing outside the folder can be reached: the key %j is refused", async (key) => {
  const blobs = createFolderBlobs(join(folder, "inside"));
  await mkdir(join(folder, "inside"));
  await writeFile(join(folder, "x"), "outside");
  expect(await codeOf(blobs.put(key, bytes("evil")))).toBe("invalid_argument");
  expect(await codeOf(Promise.resolve().then(() => blobs.get(key)))).toBe("invalid_argument");
  expect(await codeOf(Promise.resolve().then(() => blobs.delete(key)))).toBe("invalid_argument");
  if (key !== "t-a/x/") {
    expect(await codeOf(Promise.resolve().then(() => blobs.deleteUnder(key)))).toBe("invalid_argument");
    expect(() => blobs.list(key)).toThrow(SpanloomError);
  }
  expect(await readFile(join(folder, "x"), "utf8")).toBe("outside");
});

test("a folder that cannot be used is a failure of the store, with what the file system said", async () => {
  await writeFile(join(folder, "file"), "no folder");
  const blobs = createFolderBlobs(join(folder, "file"));
  expect(await codeOf(blobs.put("t-a/x", bytes("one")))).toBe("store_failed");
});

test("many writers of the same and of other keys, and deletions between them, leave whole blobs", async () => {
  const blobs = createFolderBlobs(folder);
  const body = bytes("y".repeat(10_000));
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      await blobs.put(`t-a/${index % 3}/${index % 5}/x`, body);
      if (index % 4 === 0) await blobs.deleteUnder(`t-a/${index % 3}/`);
      if (index % 7 === 0) await blobs.delete(`t-a/${index % 3}/${index % 5}/x`);
    }),
  );
  for (const key of await keysUnder(blobs, "t-a/")) expect((await blobs.get(key))?.byteLength).toBe(10_000);
  await blobs.put("t-a/0/0/x", body);
  expect(await keysUnder(blobs, "t-a/0/0/")).toEqual(["t-a/0/0/x"]);
});
