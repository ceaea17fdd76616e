import { readFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/** One entry of scripts/allowed-skips.json. */
export interface AllowedSkip {
  /** The test file, from the root of the repository. */
  file: string;
  /** The full test name (`suite > test`); absent: every test of the file. */
  test?: string;
  /** Why it may be skipped; shown to whoever reads the list. */
  why: string;
}

export interface SkippedTest {
  file: string;
  test: string;
  /** What the test gave: `context.skip("reason")`, or a name that ends in `(skipped: reason)`. */
  reason?: string;
}

/** Lists every skipped test with its reason; one that is not on the committed list fails the run. */
export default class SkippedReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    // A name filter or a run of chosen lines skips tests on purpose.
    if (this.#vitest?.config.testNamePattern) return;
    const root = this.#vitest?.config.root ?? process.cwd();
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests()].filter(isSkipped).map((test) => describeSkip(test, root)),
    );
    const { lines, refused } = reportSkips(skipped, readAllowedSkips());
    for (const line of lines) console.log(line);
    if (refused > 0) process.exitCode = 1;
  }
}

/** The lines to print, and how many skips are not allowed: not on the list, or without a reason. */
export function reportSkips(
  skipped: readonly SkippedTest[],
  allowed: readonly AllowedSkip[],
): { lines: string[]; refused: number } {
  if (skipped.length === 0) return { lines: [], refused: 0 };
  let refused = 0;
  const lines = skipped.map(({ file, test, reason }) => {
    const listed = allowed.some(
      (entry) => entry.file === file && (entry.test === undefined || entry.test === test),
    );
    const fault = !listed ? "NOT ALLOWED" : reason === undefined ? "NO REASON GIVEN" : undefined;
    if (fault) refused += 1;
    return `  ${fault ? `${fault}  ` : ""}${file} > ${test}: ${reason ?? "(no reason)"}`;
  });
  lines.unshift(`Skipped tests: ${skipped.length}`);
  if (refused > 0) {
    lines.push(
      `${refused} skipped test(s) fail this run. Mend the test, or give it a reason with context.skip("reason") ` +
        "and add it to scripts/allowed-skips.json.",
    );
  }
  return { lines, refused };
}

function isSkipped(test: TestCase): boolean {
  return test.result().state === "skipped";
}

function describeSkip(test: TestCase, root: string): SkippedTest {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return {
    file: relative(root, test.module.moduleId).replaceAll("\\", "/"),
    test: test.fullName,
    reason: note ?? /\(skipped: (.+)\)$/.exec(test.fullName)?.[1],
  };
}

function readAllowedSkips(): AllowedSkip[] {
  return JSON.parse(readFileSync(new URL("./allowed-skips.json", import.meta.url), "utf8")) as AllowedSkip[];
}
