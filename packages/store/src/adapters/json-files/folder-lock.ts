import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { link, readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SpanloomError } from "@spanloom/model";
import { toStoreError } from "./log-files.ts";

const HEARTBEAT_MS = 10_000;
/** A holder on another machine, or in another container, that gave no sign for so long is gone. */
const STALE_MS = 60_000;
const GIVE_UP_MS = 30_000;

/**
 * Lets one process at a time change a folder. The lock is a second name of a file that says who holds it, so that it is
 * never there without that. A process that dies leaves its lock, and the next one takes it over.
 */
export class FolderLock {
  private readonly path: string;
  private readonly nonce: string = randomBytes(8).toString("hex");
  private named = false;

  constructor(folder: string) {
    this.path = join(folder, "lock");
  }

  /** Removes the file that names this holder. */
  async close(): Promise<void> {
    if (this.named) await remove(nameOf(this.path, this.nonce));
    this.named = false;
  }

  /** Runs `work` while no other process runs its own. Rejects with `timed_out` when another one never ends. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.acquire();
    const heartbeat = setInterval(() => {
      const now = new Date();
      utimes(this.path, now, now).catch(() => undefined);
    }, HEARTBEAT_MS).unref();
    try {
      return await work();
    } finally {
      clearInterval(heartbeat);
      await remove(this.path);
    }
  }

  private async acquire(): Promise<void> {
    const since = Date.now();
    for (let tries = 0; !(await this.take(this.path)); tries++) {
      const holder = await readHolder(this.path);
      if (holder !== undefined && !(await isAlive(holder, this.path))) await this.takeFrom(holder);
      else if (Date.now() - since > GIVE_UP_MS) throw gaveUp(this.path);
      else await sleep(Math.min(1 + tries / 4, 20) * (0.5 + Math.random()));
    }
  }

  /** Only one process at a time may remove a dead one's lock: a slower one could remove that of the next holder. */
  private async takeFrom(dead: Holder): Promise<void> {
    const guard = `${this.path}.taking`;
    if (!(await this.take(guard))) {
      const taker = await readHolder(guard);
      if (taker !== undefined && !(await isAlive(taker, guard))) await remove(guard);
      else await sleep(5);
      return;
    }
    try {
      if ((await readHolder(this.path))?.nonce === dead.nonce) await remove(this.path);
      await remove(nameOf(this.path, dead.nonce));
    } finally {
      await remove(guard);
    }
  }

  /** False where it is there already. */
  private async take(path: string): Promise<boolean> {
    const name = nameOf(this.path, this.nonce);
    try {
      if (!this.named) {
        const { nonce } = this;
        const holder: Holder = { pid: process.pid, start: startOf(process.pid), machine: machine(), nonce };
        await writeFile(name, JSON.stringify(holder));
        this.named = true;
      }
      await link(name, path);
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      // Somebody tidied up.
      if (codeOf(error) === "ENOENT") this.named = false;
      else throw toStoreError(error, this.path);
      return false;
    }
  }
}

interface Holder {
  pid: number;
  /** When the process started, as the system counts it: process ids are used again. */
  start: string;
  /** Where the process id means something. */
  machine: string;
  nonce: string;
}

function nameOf(path: string, nonce: string): string {
  return `${path}.${nonce}`;
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** `undefined` where it is gone. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, start, machine: where }: Holder, path: string): Promise<boolean> {
  if (where === machine()) return startOf(pid) === start && isRunning(pid);
  try {
    return Date.now() - (await stat(path)).mtimeMs < STALE_MS;
  } catch {
    // It was let go of just now.
    return true;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** When a process started, in ticks since the machine did; empty where the system does not say. Source: proc(5), field 22. */
function startOf(pid: number): string {
  return orNothing(() => {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program, in brackets, may hold anything. A process that only waits to be collected has ended.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : (fields[19] ?? "");
  });
}

let known: string | undefined;

function machine(): string {
  known ??= [
    hostname(),
    orNothing(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
    orNothing(() => readlinkSync("/proc/self/ns/pid")),
  ].join(" ");
  return known;
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

function gaveUp(path: string): SpanloomError {
  return new SpanloomError("timed_out", {
    what: "The folder of the json-files store is held by another process.",
    why: `It did not let go for ${GIVE_UP_MS / 1000} seconds.`,
    fix: `Find out what that process does. Where none runs any more, remove the file ${path}.`,
  });
}
