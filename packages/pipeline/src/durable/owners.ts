import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync, writeSync } from "node:fs";
import { readFile, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

const HEARTBEAT_MS = 10_000;
/** A writer on another machine, or in another container, that gave no sign for so long is gone. */
const STALE_MS = 60_000;

interface LockFacts {
  pid: number;
  /** When the process started, as the system counts it: process ids are used again. */
  start: string | undefined;
  /** Where the process id means something: host, boot and process namespace. */
  machine: string;
}

/** The sign that a writer lives. Its name begins the names of all directories that it owns. */
export class WriterLock {
  readonly writer: string;
  readonly #directory: string;
  #file: number | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.writer = `${process.pid}-${randomBytes(6).toString("hex")}`;
  }

  /** Writes the lock file, before anything that it protects. Throws what the disk throws. */
  hold(): void {
    if (this.#file !== undefined) return;
    mkdirSync(this.#directory, { recursive: true });
    const file = openSync(lockPath(this.#directory, this.writer), "w");
    const facts: LockFacts = { pid: process.pid, start: startOf(process.pid), machine: machine() };
    const text = JSON.stringify(facts);
    writeSync(file, text, 0);
    this.#file = file;
    // Its time is the sign of life that can be read from another machine.
    this.#heartbeat = setInterval(() => {
      try {
        writeSync(file, text, 0);
      } catch {
        // A disk that fails now may take the next one.
      }
    }, HEARTBEAT_MS).unref();
  }

  /** From now on whatever this writer left may be taken over. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    await removeLock(this.#directory, this.writer);
  }
}

export async function removeLock(directory: string, writer: string): Promise<void> {
  await unlink(lockPath(directory, writer)).catch(() => undefined);
}

/** Whether the writer may still write. One without a lock was closed. */
export async function isAlive(directory: string, writer: string): Promise<boolean> {
  const path = lockPath(directory, writer);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ENOENT");
  }
  const facts = lockFacts(text);
  if (facts?.machine === machine()) return isRunning(facts);
  try {
    return Date.now() - (await stat(path)).mtimeMs < STALE_MS;
  } catch {
    return false;
  }
}

function lockPath(directory: string, writer: string): string {
  return join(directory, `${writer}.lock`);
}

/** `undefined` for a lock that a crash left half written: its age decides. */
function lockFacts(text: string): LockFacts | undefined {
  try {
    const { pid, start, machine } = JSON.parse(text) as LockFacts;
    return { pid, start, machine };
  } catch {
    return undefined;
  }
}

function isRunning({ pid, start }: LockFacts): boolean {
  if (start !== undefined) return startOf(pid) === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * When a process started, in ticks since the machine did; `undefined` where the system does not say, and for one that has
 * ended and only waits to be collected. Source: proc(5), fields 3 and 22.
 */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
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
