import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { compileRules } from "./compile-rules.ts";
import { createRedactor } from "./redact-span.ts";

/**
 * Real prose and code: the documents of this repository and of what it depends on, and sources of the latter. No secrets
 * are in them, so what is taken out of them was taken in error. Examples of secrets in documents about secrets count as
 * errors too, so the rates are upper bounds.
 */
const root = join(import.meta.dirname, "../../../..");
const store = join(root, "node_modules/.pnpm");
const MAX_FILE = 60_000;

function corpus(patterns: readonly string[], cwd: string, maxCharacters: number): string[] {
  const lines: string[] = [];
  let characters = 0;
  for (const file of globSync([...patterns], { cwd, exclude: (name) => name === "test" }).sort()) {
    const text = readFileSync(join(cwd, file), "utf8").slice(0, MAX_FILE);
    characters += text.length;
    if (characters > maxCharacters) break;
    lines.push(...text.split("\n").filter((line) => /\w/.test(line)));
  }
  return lines;
}

const prose = [
  ...corpus(["*.md", "docs/**/*.md", "packages/*/*.md"], root, 1_000_000),
  ...corpus(["*/node_modules/*/README.md"], store, 3_000_000),
];
const code = corpus(["*/node_modules/*/{src,lib}/*.{ts,js,mjs}"], store, 3_000_000);

/** Of a thousand lines, at most so many may be touched. Measured beside it. */
test.each([
  ["prose", prose, "by default", {}, 0.7],
  ["prose", prose, "with e-mail and phone", { personalData: true }, 1.5],
  ["code", code, "by default", {}, 0.2],
  ["code", code, "with e-mail and phone", { personalData: true }, 0.6],
] as const)("%s", (what, lines, _rules, options, limit) => {
  expect(lines.length).toBeGreaterThan(5_000);
  const redact = createRedactor(compileRules(options));
  const touched = lines.filter((line) => redact(makeSpan({ name: line })).redactions !== undefined);
  const rate = (touched.length / lines.length) * 1_000;
  console.log(
    `${what} ${_rules}: ${touched.length} of ${lines.length} lines touched, ${rate.toFixed(2)} in a thousand`,
  );
  expect(rate).toBeLessThan(limit);
});
