import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpanloomError, VaultAddress } from "@spanloom/model";
import { textContent } from "@spanloom/model/fixtures";
import { createFolderBlobs } from "@spanloom/store/folder-blobs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ContentVaultOptions,
  createContentVault,
  createMemoryBlobs,
  type VaultBlobs,
  type VaultRead,
} from "./index.ts";

const SECRET = "raw-secret-of-the-mill";
const at: VaultAddress = { scope: "s", executionId: "e", traceId: "a".repeat(32), spanId: "b".repeat(16) };
const raw = { input: textContent(SECRET), stateAfter: textContent(`${SECRET} later`) };
const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const k1 = { current: "k1", all: { k1: key(1) } };

let folder = "";
let reads: VaultRead[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-vault-"));
  reads = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (blobs: VaultBlobs, options: Partial<ContentVaultOptions> = {}) =>
  createContentVault({ blobs, keys: k1, onRead: (read) => void reads.push(read), ...options });

const files = (): string[] =>
  globSync("**", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const failure = async (work: Promise<unknown>): Promise<SpanloomError> => {
  const error = (await work.then(
    () => new Error("did not fail"),
    (reason: unknown) => reason,
  )) as SpanloomError;
  expect(error).toMatchObject({ name: "SpanloomError", code: "vault_failed" });
  const all = [error, error.cause, error.stack, JSON.stringify(error)].map(String).join();
  expect(all).not.toContain(SECRET);
  return error;
};

describe.each([
  ["memory", () => createMemoryBlobs()],
  ["a folder", () => createFolderBlobs(folder)],
])("in %s", (_, blobsOf) => {
  test("contents come back as they were, and every read is on record", async () => {
    const vault = open(blobsOf());
    await vault.put(at, raw);
    await vault.put(at, { input: textContent("newer") });
    const reader = { subject: "ada", roles: ["auditor"] };
    expect(await vault.get(at, reader)).toEqual({ ...raw, input: textContent("newer") });
    expect(await vault.get({ ...at, spanId: "c".repeat(16) }, reader)).toBeUndefined();
    expect(reads).toMatchObject([
      { ...at, ...reader, time: expect.stringMatching(/^\d{4}-.*Z$/) },
      { spanId: "c".repeat(16) },
    ]);
  });

  test("scopes, executions and spans are apart, whatever their ids are", async () => {
    const vault = open(blobsOf());
    const others = [
      { ...at, scope: "../s" },
      { ...at, executionId: "e/../e2" },
      { ...at, traceId: "d".repeat(32) },
      { ...at, spanId: "d".repeat(16) },
    ];
    for (const [index, other] of others.entries())
      await vault.put(other, { input: textContent(String(index)) });
    for (const [index, other] of others.entries())
      expect(await vault.get(other, {})).toEqual({ input: textContent(String(index)) });
    expect(await vault.get(at, {})).toBeUndefined();
  });

  test("a deleted execution is gone, stays gone, and takes no other along", async () => {
    const vault = open(blobsOf());
    const other = { ...at, executionId: "e2" };
    await vault.put(at, raw);
    await vault.put(other, raw);
    await vault.deleteExecution(at.scope, at.executionId);
    expect(await vault.get(at, {})).toBeUndefined();
    await vault.put(at, raw);
    expect(await vault.get(at, {})).toBeUndefined();
    expect(await vault.get(other, {})).toEqual(raw);
  });
});

test("no file and no path tells anything of the content or of ids", async () => {
  await open(createFolderBlobs(folder)).put({ ...at, executionId: "order-of-ada" }, raw);
  expect(files()).toHaveLength(2);
  for (const file of files()) {
    expect(file).not.toMatch(/order-of-ada|\.tmp$/);
    expect(readFileSync(file, "latin1")).not.toMatch(/secret|order-of-ada/);
  }
});

test("equal contents are not equal on the disk: every blob has a nonce of its own", async () => {
  const vault = open(createFolderBlobs(folder));
  const nonces = new Set<string>();
  for (let turn = 0; turn < 20; turn++) {
    await vault.put(at, { input: textContent("same") });
    const { iv } = JSON.parse(readFileSync(files()[0] ?? "", "utf8")) as { iv: string };
    expect(Buffer.from(iv, "base64url")).toHaveLength(12);
    nonces.add(iv);
  }
  expect(nonces.size).toBe(20);
});

test("keys rotate: old contents open as long as their key is there", async () => {
  const blobs = createMemoryBlobs();
  await open(blobs).put(at, { input: textContent("old") });
  const both = { current: "k2", all: { k1: key(1), k2: key(2) } };
  const later = { ...at, spanId: "d".repeat(16) };
  await open(blobs, { keys: both }).put(later, { input: textContent("new") });
  expect(await open(blobs, { keys: both }).get(at, {})).toEqual({ input: textContent("old") });
  const onlyNew = open(blobs, { keys: { current: "k2", all: { k2: key(2) } } });
  expect(await onlyNew.get(later, {})).toEqual({ input: textContent("new") });
  expect((await failure(onlyNew.get(at, {}))).message).toContain('The key "k1" is not among the keys');
});

test("a key of the same id that is another one gives nothing", async () => {
  const blobs = createMemoryBlobs();
  await open(blobs).put(at, raw);
  const wrong = open(blobs, { keys: { current: "k1", all: { k1: key(9) } } });
  expect((await failure(wrong.get(at, {}))).message).toContain("another one than it was written with");
});

test("a blob that was changed, or put in the place of another, gives nothing", async () => {
  const vault = open(createFolderBlobs(folder));
  await vault.put(at, { input: textContent(SECRET) });
  const [file = ""] = files();
  const whole = readFileSync(file, "utf8");
  const jwe = JSON.parse(whole) as Record<string, string>;
  const flipped = (text: string): string => (text[0] === "A" ? "B" : "A") + text.slice(1);
  const other = Buffer.from('{"alg":"dir","enc":"A256GCM","kid":"k1","x":1}').toString("base64url");
  for (const change of [
    JSON.stringify({ ...jwe, ciphertext: flipped(jwe.ciphertext ?? "") }),
    JSON.stringify({ ...jwe, tag: flipped(jwe.tag ?? "") }),
    JSON.stringify({ ...jwe, iv: flipped(jwe.iv ?? "") }),
    JSON.stringify({ ...jwe, protected: other }),
    JSON.stringify({ ...jwe, aad: "" }).replace('"v":1', '"v":2'),
    whole.slice(0, -5),
    "",
  ]) {
    writeFileSync(file, change);
    await failure(vault.get(at, {}));
  }
  writeFileSync(file, whole);
  expect(await vault.get(at, {})).toEqual({ input: textContent(SECRET) });

  // Swapped: to another field, span, execution and scope.
  const moves: [VaultAddress, string][] = [
    [at, "-output"],
    [{ ...at, spanId: "c".repeat(16) }, "-input"],
    [{ ...at, executionId: "e2" }, "-input"],
    [{ ...at, scope: "s2" }, "-input"],
  ];
  for (const [target, field] of moves) {
    const known = new Set(files());
    await vault.put(target, field === "-output" ? { output: textContent("x") } : { input: textContent("x") });
    const place = files().find((each) => !known.has(each)) ?? "";
    expect(place).toContain(field);
    writeFileSync(place, whole);
    expect((await failure(vault.get(target, {}))).message).toContain("changed or moved");
    rmSync(place);
  }
});

test("without a record of the read nothing is given, and nothing was decrypted before", async () => {
  const blobs = createMemoryBlobs();
  await open(blobs).put(at, raw);
  const asked: string[] = [];
  const watched: VaultBlobs = {
    ...blobs,
    get: (path) => {
      asked.push(path);
      return blobs.get(path);
    },
  };
  const refusing = open(watched, { onRead: () => Promise.reject(new Error(SECRET)) });
  expect((await failure(refusing.get(at, {}))).message).toContain("could not be put on record");
  expect(asked).toEqual([]);
  let recorded = false;
  const slow = open(watched, {
    onRead: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      expect(asked).toEqual([]);
      recorded = true;
    },
  });
  await slow.get(at, {});
  expect(recorded).toBe(true);
});

test("what blobs throw is told without their words", async () => {
  const full = Object.assign(new Error(`cannot write ${SECRET}`), { code: "ENOSPC" });
  const vault = open({ ...createMemoryBlobs(), put: () => Promise.reject(full) });
  expect((await failure(vault.put(at, raw))).message).toContain("ENOSPC");
});

test.each<ContentVaultOptions["keys"]>([
  { current: "k1", all: {} },
  { current: "k2", all: { k1: key(1) } },
  { current: "k1", all: { k1: new Uint8Array(16) } },
])("keys that cannot encrypt are refused at once", (keys) => {
  expect(() => open(createMemoryBlobs(), { keys })).toThrow("The keys of the vault cannot be used");
});
