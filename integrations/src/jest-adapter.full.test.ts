import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp, npmInstall, packPackages, runQuietly } from "./npm-host.test-support.ts";

/** An adapter's author who tests with Jest, by the recipe of docs/guides/add-store-adapter.md. */
const root = mkdtempSync(join(tmpdir(), "spanloom-jest-"));
let app = "";

beforeAll(async () => {
  const packed = await packPackages(root);
  app = createApp(join(root, "app"), ["store.jest.mjs"]);
  const own = ["@spanloom/model", "@spanloom/metrics", "@spanloom/store"];
  const packages = Object.fromEntries(own.map((name) => [name, packed[name] ?? ""]));
  await npmInstall(app, { ...packages, jest: "30.5.2" });
  const config = { testMatch: ["**/store.jest.mjs"], transform: {}, testTimeout: 60_000 };
  writeFileSync(join(app, "jest.config.json"), JSON.stringify(config));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a sound store passes under Jest, and the report says so", async () => {
  await runJest();
  const report = readFileSync(join(app, "conformance.md"), "utf8");
  expect(report).toMatch(/^# Conformance of memory under Jest$/m);
  expect(report).toMatch(/^\*\*Passed\*\*: (\d+) of \1 tests passed/m);
});

test("a store with a fault fails there", async () => {
  writeFileSync(join(app, "fault.mjs"), 'process.env.FAULT = "1";\n');
  const setup = ["--setupFiles", "./fault.mjs"];
  await expect(runJest(setup)).rejects.toThrow(/pages of any size join to the whole trace in pre-order/);
});

function runJest(more: readonly string[] = []): Promise<string> {
  const jest = ["--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--runInBand"];
  return runQuietly(process.execPath, [...jest, ...more], app);
}
