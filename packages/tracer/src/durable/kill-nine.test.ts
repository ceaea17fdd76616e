import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, unwatchFile, watchFile } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpanRecord } from "@spanloom/model";
import { decodeOtlp } from "@spanloom/model/otlp";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { afterEach, describe, expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { type BusyRun, program, TOKENS } from "./busy-run.test-support.ts";
import { createDiskSpool } from "./disk-spool.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Noted {
  kind: string;
  spanId: string;
  result: string;
  /** On the host's own clock: before the tracer got the span, and after. */
  handedAt: number;
  notedAt: number;
}

const KILLS = 4;
/** What `batched` promises. */
const WINDOW_MS = 200;

describe.each(["immediate", "batched"] as const)("after kill -9 at random points, %s", (mode) => {
  test.each([false, true])(
    "every span that was accepted is in the store once and at the collector; slow store: %s",
    async (slowStore) => {
      const home = mkdtempSync(join(tmpdir(), "spanloom-kill-"));
      cleanUps.push(() => rmSync(home, { recursive: true, force: true }));
      const collector = await startCollector();
      const directory = join(home, "spool");
      const database = join(home, "traces.db");
      const promised: Noted[] = [];
      for (let seed = 0; seed < KILLS; seed++) {
        const ledger = join(home, `ledger-${seed}`);
        const options: BusyRun = { database, directory, ledger, mode, url: collector.url, seed, slowStore };
        const noted = await runAndKill(options, WINDOW_MS + 50 + Math.random() * 700);
        // A process that the machine does not run can keep no promise: what counts is when it did something last.
        const endedAt = noted.at(-1)?.handedAt ?? 0;
        const safe =
          mode === "immediate" ? noted : noted.filter(({ notedAt }) => notedAt < endedAt - WINDOW_MS);
        expect(safe.length).toBeGreaterThan(0);
        promised.push(...safe);
      }

      // The next process of the host: it finds what the killed ones left.
      const store = createSqliteStore({ path: database, retention: false });
      cleanUps.push(() => store.close());
      const tracer = createWorkflowTracer({
        store,
        otlp: { url: collector.url },
        durability: createDiskSpool({ directory, mode }),
      });
      expect(await tracer.flush({ timeoutMs: 20_000 })).toBe(true);
      const { otlp, ...counts } = tracer.stats();
      for (const { accepted, recovered, stored, queued, spilled, deadLettered, dropped } of [
        counts,
        otlp ?? counts,
      ]) {
        expect({ stored, queued, spilled, deadLettered, dropped }).toEqual({
          stored: accepted,
          queued: 0,
          spilled: 0,
          deadLettered: 0,
          dropped: {},
        });
        expect(recovered).toBe(accepted);
      }
      // A store that keeps up needs no disk in this mode.
      if (mode === "immediate" || slowStore) expect(counts.recovered).toBeGreaterThan(0);
      await tracer.shutdown();
      expect(filesBelow(directory)).toEqual([]);

      const scope = store.forScope("default");
      const stored = new Map<string, SpanRecord>();
      for (let cursor: string | undefined, more = true; more; ) {
        const { items, nextCursor } = await scope.listExecutions({ limit: 200, cursor });
        for (const { executionId, usage, spanCount } of items) {
          const spans = (await scope.getTrace(executionId, { view: "full" }))?.spans ?? [];
          for (const span of spans as SpanRecord[]) {
            expect(stored.has(span.spanId)).toBe(false);
            stored.set(span.spanId, span);
          }
          expect(spanCount).toBe(spans.length);
          // Replayed records change no sum.
          const calls = spans.filter(({ kind, endTime }) => kind === "llm" && endTime !== undefined);
          expect(usage.input ?? 0).toBe(calls.length * TOKENS);
        }
        cursor = nextCursor;
        more = nextCursor !== undefined;
      }
      const missing = promised.filter(({ spanId }) => stored.get(spanId)?.endTime === undefined);
      expect(missing).toEqual([]);
      expect((await scope.recompute()).corrected).toEqual([]);
      const collected = collector.spanIds();
      expect(promised.filter(({ spanId }) => !collected.has(spanId))).toEqual([]);
      // The workflow came to what it comes to without a tracer.
      for (const { kind, spanId, result } of promised)
        if (kind === "node") expect(result).toBe(String(Number(stored.get(spanId)?.nodeId?.slice(1)) * 2));
    },
  );
});

/** Runs the host until it has been busy for so long by its own clock, then kills it at once. Gives what it wrote down. */
async function runAndKill(options: BusyRun, busyMs: number): Promise<Noted[]> {
  const args = ["--conditions=@spanloom/source", program, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  const exited = once(child, "exit");
  await new Promise<void>((resolve) => {
    const look = (): void => {
      const noted = readLedger(options.ledger);
      if ((noted.at(-1)?.handedAt ?? 0) - (noted[0]?.handedAt ?? 0) < busyMs) return;
      unwatchFile(options.ledger, look);
      resolve();
    };
    watchFile(options.ledger, { interval: 3 }, look);
  });
  child.kill("SIGKILL");
  expect((await exited)[1]).toBe("SIGKILL");
  return readLedger(options.ledger);
}

function readLedger(path: string): Noted[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Noted);
}

/** A real collector's front door on loopback, which takes everything. */
async function startCollector(): Promise<{ url: string; spanIds: () => Set<string> }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // The sender was killed in the middle.
    }
    bodies.push(Buffer.concat(chunks).toString());
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(
    () => server.closeAllConnections(),
    () => void server.close(),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    spanIds: () =>
      new Set(bodies.flatMap((body) => decodeOtlp(JSON.parse(body)).spans.map(({ spanId }) => spanId))),
  };
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}
