import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface RunningClickHouse {
  url: string;
  /** Where it was found, for the log. */
  from: string;
  /** Its process, where it was started for this. */
  pid?: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const CHDB = "3.4.0";
/** Outside the workspace: the engine unpacks to half a gigabyte, and only these tests need it. */
const home = join(import.meta.dirname, "../../../../../.cache/clickhouse");

/**
 * A real ClickHouse engine: `CLICKHOUSE_URL`, else `chdb`, the engine as a package, installed once into `.cache` and served
 * over HTTP on a free port of loopback. Where there is none it gives the reason, for a test to skip with.
 *
 * @param data Where the engine keeps its tables; a folder of its own, removed at the end, where absent.
 * @param port Where it listens; any that is free where absent.
 */
export async function startClickHouse(
  data?: string,
  port = 0,
): Promise<RunningClickHouse | { missing: string }> {
  const url = process.env.CLICKHOUSE_URL;
  if (url) return { url, from: "CLICKHOUSE_URL", stop: async () => undefined };
  const problem = await install();
  return problem === undefined ? start(data, port) : { missing: problem };
}

async function install(): Promise<string | undefined> {
  if (process.platform === "win32")
    return "no CLICKHOUSE_URL, and the engine's package has no build for Windows";
  if (existsSync(join(home, "node_modules", "chdb", "package.json"))) return undefined;
  mkdirSync(home, { recursive: true });
  const options = ["--prefix", home, "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
  try {
    await promisify(execFile)("npm", ["install", ...options, `chdb@${CHDB}`], { timeout: 240_000 });
    return undefined;
  } catch (error) {
    return `no CLICKHOUSE_URL, and chdb ${CHDB} could not be installed: ${String(error).slice(0, 200)}`;
  }
}

async function start(given: string | undefined, wanted: number): Promise<RunningClickHouse> {
  const data = given ?? mkdtempSync(join(tmpdir(), "spanloom-clickhouse-"));
  const serve = join(import.meta.dirname, "serve.test-support.mjs");
  const server = spawn(process.execPath, [serve, home, data, String(wanted)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const kill = (): void => void server.kill("SIGKILL");
  process.once("exit", kill);
  const port = await new Promise<string>((resolve, reject) => {
    server.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    server.once("error", reject);
    void ended.then(() => reject(new Error("The ClickHouse engine ended before it was ready.")));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    from: `chdb ${CHDB}`,
    ...(server.pid !== undefined && { pid: server.pid }),
    async stop(signal = "SIGKILL") {
      process.off("exit", kill);
      server.kill(signal);
      await ended;
      if (given === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}
