import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConformanceReport } from "./index.ts";
import { formatReport } from "./index.ts";
import { runKit, wrapped } from "./plant-fault.test-support.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-kit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("under node:test, in a process of its own", () => {
  test("a sound store passes, and the report says so", { timeout: 120_000 }, async () => {
    const { code, output, report, page } = await runUnderNode("sound");
    expect(output).toMatch(/^# fail 0$/m);
    expect(code).toBe(0);
    expect(report).toMatchObject({ adapter: "memory", version: "1.0.0", failed: 0 });
    expect(report.passed).toBeGreaterThan(100);
    expect(output).toMatch(new RegExp(`^# pass ${report.passed}$`, "m"));
    expect(page).toContain("# Conformance of memory 1.0.0");
    expect(page).toContain(`**Passed**: ${report.passed} of ${report.passed} tests passed`);
    expect(page).toContain("| durability |");
    expect(page).toContain("everything is there after a reopen, and goes on as before: needs durable");
    expect(page).toContain("- durability: memory (untried)");
  });

  test("a store with a fault fails there, and the report names the tests", { timeout: 120_000 }, async () => {
    const { code, output, report, page } = await runUnderNode("faulty", { FAULT: "1" });
    expect(code).toBe(1);
    expect(output).toMatch(/not ok \d+ - pages of any size join to the whole trace in pre-order/);
    expect(report.failed).toBeGreaterThan(10);
    expect(page).toContain("**Failed**");
    expect(page).toMatch(
      /- pages and cursors, pages of any size join to the whole trace in pre-order: .*differs at/,
    );
  });
});

describe("the report", () => {
  test("comes when the last test has ended, and names what was left out", { timeout: 120_000 }, async () => {
    const open = wrapped(() => ({ deleteExecution: undefined, recompute: undefined, watch: undefined }));
    expect((await runKit({ open }, "late names")).report).toBeUndefined();
    const features = { administration: false, watch: false, inProcess: false };
    const { report, ran, failed } = await runKit({ open, features, histories: 1 });
    expect(failed).toEqual([]);
    expect(ran).toBeGreaterThan(100);
    expect(report?.passed).toBe(ran);
    const retention = report?.chapters.find(({ title }) => title === "retention");
    expect(retention?.tests.length).toBeGreaterThan(10);
    expect(new Set(retention?.tests.map(({ outcome, needs }) => `${outcome}: ${needs}`))).toEqual(
      new Set(["skipped: administration"]),
    );
  });

  test("is text that no Markdown reader takes for anything else", { timeout: 120_000 }, async () => {
    const open = (): never => {
      throw new Error("<script>\n| a *bold* | [claim](x) |");
    };
    const { report } = await runKit({ open, histories: 1 });
    const page = formatReport(report as ConformanceReport);
    expect(page).toContain("\\<script\\> \\| a \\*bold\\* \\| \\[claim\\](x) \\|");
  });
});

async function runUnderNode(
  name: string,
  environment: Record<string, string> = {},
): Promise<{ code: number; output: string; report: ConformanceReport; page: string }> {
  const file = fileURLToPath(new URL("./under-node-test.test-support.ts", import.meta.url));
  const path = join(folder, name);
  const args = [...process.execArgv, "--test", "--test-reporter=tap"];
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    const env = { ...process.env, ...environment, REPORT: path };
    execFile(process.execPath, [...args, file], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr });
    });
  });
  if (!existsSync(path)) throw new Error(`There is no report:\n${output}`);
  const page = readFileSync(path, "utf8");
  return { code, output, page, report: JSON.parse(readFileSync(`${path}.json`, "utf8")) };
}
