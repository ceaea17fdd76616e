// Real prose and code of this repository, and rows as tools answer with, in texts of a given size.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const prose = read("{README,CONTRIBUTING}.md", "docs/**/*.md", "packages/*/README.md");
const code = read("packages/{metrics,model,react-*,server,store}/src/**/*.{ts,tsx}");

export function proseText(bytes: number, seed: number): string {
  return excerpt(prose, bytes, seed);
}

export function codeText(bytes: number, seed: number): string {
  return excerpt(code, bytes, seed);
}

/** As a search or a database answers: ids, times, amounts, addresses, and notes in prose. */
export function jsonRows(bytes: number, seed: number): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  for (let size = 0, index = seed * 1_000; size < bytes; index++) {
    const row = {
      id: `4bf92f35-77b3-4da6-a3ce-${String(index).padStart(12, "0")}`,
      title: excerpt(prose, 60, index),
      url: `https://docs.example.com/orders/${index}?page=2`,
      updatedAt: new Date(1.7e12 + index * 61_000).toISOString(),
      score: 0.5 + (index % 50) / 100,
      customer: { id: index * 7, tier: "gold", tags: ["eu", "priority"] },
      lines: [{ sku: `A-${index % 97}`, quantity: index % 9, netCents: index * 13 }],
      note: excerpt(prose, 150, index * 3),
    };
    rows.push(row);
    size += JSON.stringify(row).length;
  }
  return rows;
}

/** Begins elsewhere for each seed, and goes round where the source ends. A flat string, as a parser would give. */
function excerpt(source: string, bytes: number, seed: number): string {
  const start = (seed * 7_919) % source.length;
  const length = Math.floor(bytes);
  const text = source.slice(start, start + length).padEnd(length, source);
  return Buffer.from(text).toString();
}

function read(...patterns: string[]): string {
  const files = globSync(patterns, { cwd: root, exclude: (name) => name === "node_modules" });
  return files
    .sort()
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n");
}
