import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface RunningRedis {
  url: string;
  /** Where it was found, for the log. */
  from: string;
  /** Ends the server where it was started for this; one that was there before runs on. */
  stop(): Promise<void>;
}

/** What starts and installs a server: programs of the operating system, not of a package. */
const programs = ["valkey-server", "redis-server"];
const installer = "apt-get";

/**
 * A real Redis or Valkey: `REDIS_URL`, else a server on the PATH on a free port of loopback, else, on Debian as root, the
 * distribution's package. Where there is none it gives the reason, for a test to skip with.
 */
export async function startRedis(): Promise<RunningRedis | { missing: string }> {
  const url = process.env.REDIS_URL;
  if (url) return { url, from: "REDIS_URL", stop: async () => undefined };
  const program = await findProgram();
  return program === undefined ? { missing: `no REDIS_URL, ${NO_PROGRAM}` } : start(program);
}

/** A server that is to become a node of a cluster: it has no slots and knows no other node. Never `REDIS_URL`. */
export async function startClusterNode(): Promise<RunningRedis | { missing: string }> {
  const program = await findProgram();
  if (program === undefined) return { missing: NO_PROGRAM };
  const busPort = String(await freePort());
  return start(program, [
    "--cluster-enabled",
    "yes",
    "--cluster-announce-ip",
    "127.0.0.1",
    "--cluster-port",
    busPort,
  ]);
}

const NO_PROGRAM = "no valkey-server or redis-server on the PATH, and none could be installed";

async function findProgram(): Promise<string | undefined> {
  return programs.find(isInstalled) ?? (await install());
}

async function start(program: string, more: readonly string[] = []): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-redis-"));
  const port = await freePort();
  const options = [
    "--bind",
    "127.0.0.1",
    "--port",
    String(port),
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder,
    ...more,
  ];
  const server = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const kill = (): void => void server.kill("SIGKILL");
  process.once("exit", kill);
  await new Promise<void>((resolve, reject) => {
    let log = "";
    server.stdout.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("Ready to accept connections")) resolve();
    });
    server.once("error", reject);
    void ended.then(() => reject(new Error(`${program} ended before it was ready:\n${log}`)));
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    from: program,
    async stop() {
      process.off("exit", kill);
      server.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Bounded, and only where it changes nobody's machine by surprise: root of a Debian is a container or a test machine. */
async function install(): Promise<string | undefined> {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) return undefined;
  // At run level 1 the package does not start a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const run = (...args: string[]): Promise<unknown> =>
    promisify(execFile)(installer, ["-o", "DPkg::Lock::Timeout=60", ...args], { env, timeout: 90_000 });
  try {
    await run("update");
    await run("install", "-y", "--no-install-recommends", "redis-server");
  } catch {
    return undefined;
  }
  return programs.find(isInstalled);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
