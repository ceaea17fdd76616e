import { SCHEMA_VERSION } from "@spanloom/model";
import type { ConformanceOptions } from "./harness.ts";

/** What a run of the kit found: JSON, to be published beside the adapter. See {@link formatReport}. */
export interface ConformanceReport {
  adapter: string;
  version?: string;
  /** Of the records that were written. */
  schemaVersion: number;
  /** Where it ran, e.g. `Node 24.21.0, linux x64`. */
  platform: string;
  /** RFC 3339. */
  startedAt: string;
  durationMs: number;
  passed: number;
  failed: number;
  /** Left out, because the harness does not promise what they need. */
  skipped: number;
  chapters: ChapterReport[];
  /** What the store says of itself, and whether the kit saw it. */
  claims: ClaimReport[];
  /** How much was tried, e.g. how many histories, kills and spans. */
  figures: Record<string, string | number>;
}

export interface ChapterReport {
  title: string;
  tests: TestReport[];
}

export interface TestReport {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  durationMs?: number;
  /** Why it failed. */
  problem?: string;
  /** The feature without which it was left out. */
  needs?: string;
}

export interface ClaimReport {
  /** A member of the store's `capabilities`. */
  claim: string;
  value: string;
  /** `untried`: the harness gives no way to see it. */
  finding: "held" | "contradicted" | "untried";
}

/** The report as a page of Markdown. */
export function formatReport(report: ConformanceReport): string {
  const { adapter, version, passed, failed, skipped } = report;
  const left = skipped === 0 ? "" : `, ${skipped} left out`;
  return [
    `# Conformance of ${text(adapter)}${version === undefined ? "" : ` ${text(version)}`}`,
    "",
    `**${failed === 0 ? "Passed" : "Failed"}**: ${passed} of ${passed + failed} tests passed${left}.`,
    `${report.startedAt}, ${(report.durationMs / 1000).toFixed(1)} s, ${text(report.platform)}, records of schema ${report.schemaVersion}.`,
    "",
    "| chapter | passed | failed | left out |",
    "|---|---|---|---|",
    ...report.chapters.map(chapterRow),
    ...section(
      "Claims",
      report.claims.map(({ claim, value, finding }) => `- ${claim}: ${text(value)} (${finding})`),
    ),
    ...section(
      "Tried",
      Object.entries(report.figures).map(([name, value]) => `- ${text(name)}: ${text(String(value))}`),
    ),
    ...section("Failed", report.chapters.flatMap(failures)),
    ...section("Left out", report.chapters.flatMap(leftOut)),
    "",
  ].join("\n");
}

/** Collects what happens until every expected test has ended. */
export class ReportWriter {
  private readonly options: Pick<ConformanceOptions, "name" | "version">;
  private readonly startedAt = new Date();
  private readonly chapters: ReportedChapter[] = [];
  private readonly figures = new Map<string, string | number>();
  private readonly claims = new Map<string, ClaimReport>();
  private told = false;

  constructor(options: Pick<ConformanceOptions, "name" | "version">) {
    this.options = options;
  }

  chapter(title: string): ReportedChapter {
    const chapter = new ReportedChapter(title);
    this.chapters.push(chapter);
    return chapter;
  }

  figure(name: string, value: string | number): void {
    this.figures.set(name, value);
  }

  claim(claim: ClaimReport): void {
    this.claims.set(claim.claim, claim);
  }

  /** The report, once: when the last test has ended, in whatever order they ran. */
  finished(): ConformanceReport | undefined {
    if (this.told || this.chapters.some((chapter) => !chapter.complete())) return undefined;
    this.told = true;
    const chapters = this.chapters.map((chapter) => chapter.result());
    const tests = chapters.flatMap((chapter) => chapter.tests);
    const count = (outcome: TestReport["outcome"]): number =>
      tests.filter((test) => test.outcome === outcome).length;
    return {
      adapter: this.options.name,
      ...(this.options.version !== undefined && { version: this.options.version }),
      schemaVersion: SCHEMA_VERSION,
      platform: platform(),
      startedAt: this.startedAt.toISOString(),
      durationMs: Date.now() - this.startedAt.getTime(),
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
      chapters,
      claims: [...this.claims.values()],
      figures: Object.fromEntries(this.figures),
    };
  }
}

/** One chapter's tests, in the order of the chapter. */
export class ReportedChapter {
  private readonly title: string;
  private readonly tests = new Map<string, TestReport | undefined>();

  constructor(title: string) {
    this.title = title;
  }

  expect(name: string): void {
    this.tests.set(name, undefined);
  }

  leftOut(name: string, needs: string): void {
    this.tests.set(name, { name, outcome: "skipped", needs });
  }

  /** A test that a runner tries again ends again: the last time counts. */
  ended(name: string, durationMs: number, problem: string | undefined): void {
    const took = { name, durationMs: Math.round(durationMs) };
    this.tests.set(
      name,
      problem === undefined ? { ...took, outcome: "passed" } : { ...took, outcome: "failed", problem },
    );
  }

  complete(): boolean {
    return [...this.tests.values()].every((test) => test !== undefined);
  }

  result(): ChapterReport {
    return { title: this.title, tests: [...this.tests.values()].filter((test) => test !== undefined) };
  }
}

function chapterRow({ title, tests }: ChapterReport): string {
  const counts = (["passed", "failed", "skipped"] as const).map(
    (outcome) => tests.filter((test) => test.outcome === outcome).length,
  );
  return `| ${text(title)} | ${counts.join(" | ")} |`;
}

function failures({ title, tests }: ChapterReport): string[] {
  return tests
    .filter((test) => test.outcome === "failed")
    .map((test) => `- ${text(title)}, ${text(test.name)}: ${text(test.problem ?? "")}`);
}

function leftOut({ title, tests }: ChapterReport): string[] {
  return tests
    .filter((test) => test.outcome === "skipped")
    .map((test) => `- ${text(title)}, ${text(test.name)}: needs ${test.needs}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `## ${title}`, "", ...lines];
}

/** One line that no Markdown reader takes for anything but text. */
function text(value: string): string {
  const line = value.replaceAll(/\s+/g, " ").slice(0, 600);
  return line.replaceAll(/[\\`*_[\]<>|]/g, (mark) => `\\${mark}`);
}

function platform(): string {
  if (typeof process === "undefined")
    return typeof navigator === "undefined" ? "unknown" : navigator.userAgent;
  return `Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}
