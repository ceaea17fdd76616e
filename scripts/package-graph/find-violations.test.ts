import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageNames, readManifest, root } from "../workspace.ts";
import { findViolations } from "./find-violations.ts";

let workspace: string;

/** A workspace with our real manifests, in which every public entry is an empty file. */
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "spanloom-graph-"));
  for (const name of packageNames) {
    mkdirSync(join(workspace, "packages", name), { recursive: true });
    cpSync(join(root, "packages", name, "package.json"), join(workspace, "packages", name, "package.json"));
    for (const target of Object.values(readManifest(name).exports)) {
      const source = typeof target === "string" ? undefined : target["@spanloom/source"];
      if (source) plant(`${name}/${source}`, "");
    }
  }
});

afterEach(() => rmSync(workspace, { recursive: true }));

test("imports that point down are accepted", () => {
  plant("store/src/adapters/http.ts", 'import { routes } from "@spanloom/model/http";\nexport { routes };');
  plant(
    "react-trace/src/index.ts",
    'export * from "@spanloom/react-core";\nimport "@tanstack/react-virtual";',
  );
  plant("store/src/adapters/sqlite.ts", 'import { Worker } from "node:worker_threads";\nnew Worker("x");');
  expect(findViolations(workspace)).toEqual([]);
});

test("an import that points up is refused, even of a type", () => {
  plant("model/src/index.ts", 'export type { Store } from "@spanloom/store";');
  expect(findViolations(workspace)).toEqual([
    "packages/model/src/index.ts:1 imports @spanloom/store: model may use only no other package.",
  ]);
});

test("model brings no engine, adapter or React along", () => {
  plant("model/src/index.ts", 'import { useState } from "react";');
  expect(findViolations(workspace)).toEqual([expect.stringContaining("model may import only valibot")]);
});

test("a package is used through its public entries only", () => {
  plant("store/src/adapters/memory.ts", 'import "../../../metrics/src/index.ts";');
  plant("server/src/index.ts", 'import "@spanloom/model/src/span.ts";');
  expect(findViolations(workspace)).toEqual([
    expect.stringContaining("a relative import stays inside packages/store/src"),
    expect.stringContaining("that is no public entry of @spanloom/model"),
  ]);
});

test("what a package imports is in its manifest", () => {
  plant("metrics/src/index.ts", 'import "recharts";');
  expect(findViolations(workspace)).toEqual([
    expect.stringContaining("recharts is neither a dependency nor a peer"),
  ]);
});

test("a test may use a package above its own", () => {
  plant("tracer/src/execution.test.ts", 'import "@spanloom/store/memory";');
  expect(findViolations(workspace)).toEqual([]);
});

test("a browser entry reaches no Node built-in, however far away", () => {
  plant("react-core/src/index.ts", 'export * from "./format/money.ts";');
  plant(
    "react-core/src/format/money.ts",
    'const { readFileSync } = await import("node:fs");\nreadFileSync("x");',
  );
  expect(findViolations(workspace)).toEqual([
    expect.stringMatching(
      /money\.ts:1 imports node:fs: @spanloom\/react-core runs in a browser.*a Node built-in/,
    ),
  ]);
});

test("a browser entry reaches no driver through a shared file, but may name its types", () => {
  plant(
    "store/src/adapters/http.ts",
    'import { rows } from "../rows.ts";\nimport type Database from "better-sqlite3";',
  );
  plant("store/src/rows.ts", 'import Database from "better-sqlite3";\nexport const rows = Database;');
  expect(findViolations(workspace)).toEqual([
    expect.stringMatching(
      /rows\.ts:1 imports better-sqlite3: @spanloom\/store\/http runs in a browser.*a driver/,
    ),
  ]);
});

test("a browser entry reaches no dialect and no price table", () => {
  plant("react-core/src/index.ts", 'import "@spanloom/pipeline";');
  expect(findViolations(workspace)).toContainEqual(
    expect.stringContaining("must not reach server-side code"),
  );
});

function plant(path: string, code: string): void {
  const file = join(workspace, "packages", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
}
