// `pnpm bench <name>`: runs benchmarks/<name>.bench.ts, prints its ratios and keeps its figures. With `--quick`, where a
// benchmark knows that, it takes fewer rounds.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import type { Bench, BenchResult } from "./bench.ts";

const names = [
  "tracer",
  "store",
  "store-size",
  "postgres",
  "json-files",
  "clickhouse",
  "server",
  "trace-tab",
  "analytics",
];
const quick = process.argv.includes("--quick");
const asked = process.argv.slice(2).filter((word) => word !== "--quick");
const directory = import.meta.dirname;

if (asked.length === 0 || asked.some((name) => !names.includes(name))) {
  const what = asked.length === 0 ? "No benchmark was named." : `No benchmark is called ${asked.join(", ")}.`;
  console.error(`${what} Name one of: ${names.join(", ")}. For example: npm run bench -- tracer`);
  process.exit(2);
}
for (const name of asked) await runBench(name);

async function runBench(name: string): Promise<void> {
  const file = join(directory, `${name}.bench.ts`);
  if (!existsSync(file)) throw new Error(`The benchmark ${name} is not there: ${file} is absent.`);
  const { default: bench } = (await import(file)) as { default: Bench };
  console.log(`\n${name}`);
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const result = await bench({ quick });
  print(result);
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    /** Of the minute before the run. */
    load: loadBefore,
  };
  const results = join(directory, "results");
  mkdirSync(results, { recursive: true });
  const report = { name, date: new Date().toISOString(), quick, machine, ...result };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(
    `Kept in benchmarks/results/${name}.json (${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load.toFixed(1)} before)`,
  );
}

function print({ cases, budgets, notes = [] }: BenchResult): void {
  const rows = cases.map((one) => [
    one.name,
    `${figure(one.median)} ${one.unit}`,
    `${figure(one.min)} - ${figure(one.max)}`,
    one.ratioTo ? `${one.ratioTo.ratio.toFixed(2)}x ${one.ratioTo.case}` : "",
  ]);
  table([["case", "median", "min - max", "ratio"], ...rows]);
  if (notes.length > 0) console.log("");
  for (const note of notes) console.log(`- ${note}`);
  if (budgets.length === 0) return;
  console.log("");
  table([
    ["budget", "limit", "value", ""],
    ...budgets.map(({ what, limit, value, ok }) => [what, limit, value, ok ? "kept" : "BROKEN"]),
  ]);
}

function figure(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

function table(rows: readonly string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}
