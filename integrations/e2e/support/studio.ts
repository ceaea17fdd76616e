import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ExecutionSummary } from "@spanloom/model";
import { createHttpStore, type HttpStore } from "@spanloom/store/http";

const folder = join(import.meta.dirname, "../../../examples/studio");

export interface Studio {
  /** Without a slash at the end. */
  url: string;
  dataFolder: string;
  /** What it has printed so far. */
  lines: string[];
  /** Reads what it shows, as an operator. */
  store: HttpStore;
  /** The executions of a workflow, newest first. */
  executions(workflowId: string): Promise<ExecutionSummary[]>;
  /** Ends it as a Ctrl+C would, and gives its exit code. */
  stop(): Promise<number | null>;
}

/** A folder that is gone when the tests are. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "spanloom-studio-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts the built studio on a free port, as `npm start` does, and waits for its URL. */
export async function startStudio(dataFolder: string, env: Record<string, string> = {}): Promise<Studio> {
  const child = spawnStudio({ PORT: "0", SPANLOOM_DATA: dataFolder, STUDIO_MODEL_DELAY_MS: "30", ...env });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const read = (line: string): void => {
      lines.push(line);
      const found = /http:\/\/\S+/.exec(line)?.[0];
      if (found !== undefined) resolve(found.replace(/\/$/, ""));
    };
    if (child.stdout) createInterface(child.stdout).on("line", read);
    if (child.stderr) createInterface(child.stderr).on("line", (line) => lines.push(line));
    child.once("exit", (code) => reject(new Error(`The studio ended with ${code}:\n${lines.join("\n")}`)));
  });
  const store = createHttpStore({ baseUrl: `${url}/api/spanloom` });
  return {
    url,
    dataFolder,
    lines,
    store,
    executions: async (workflowId) => (await store.listExecutions({ workflowId, limit: 100 })).items,
    stop: () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      return ended;
    },
  };
}

/** Runs the studio until it gives up: for what it says when it cannot start. */
export async function failToStart(
  env: Record<string, string>,
): Promise<{ code: number | null; text: string }> {
  const child = spawnStudio(env);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (text += String(data)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, text };
}

function spawnStudio(env: Record<string, string>): ChildProcess {
  const { OPENAI_API_KEY: _, ...inherited } = process.env;
  return spawn(process.execPath, ["server/main.ts"], {
    cwd: folder,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}
