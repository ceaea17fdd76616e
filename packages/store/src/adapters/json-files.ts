import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SpanloomError, type StoreCapabilities, type TraceStore } from "@spanloom/model";
import { createBackedStore } from "../ledger/backed-store.ts";
import type { KeepRetentionOptions, RetentionOptions } from "../retention.ts";
import type { Damage } from "./json-files/execution-index.ts";
import { JsonFilesBacking } from "./json-files/json-files-backing.ts";
import { isMissing, toStoreError } from "./json-files/log-files.ts";

export interface JsonFilesStoreOptions {
  /** Where the files are kept; made where it is not there. */
  folder: string;
  /** What a write has survived when it resolves: a crash of the process (the default), or also a loss of power; it then waits for the disk. */
  durability?: "process-crash" | "power-loss";
  /** How long executions and sums are kept: 90 and 800 days where absent. */
  retention?: RetentionOptions | false;
  /** Gets what went wrong in the background, and lines that cannot be read. `console.warn` where absent. */
  onProblem?: KeepRetentionOptions["onProblem"];
}

/**
 * Keeps traces in daily files of JSON Lines, to be read by anyone: the store for small hosts, also for several processes on
 * one machine. Each writer has files of its own, and they take turns. Lists and charts are answered from the files of
 * `executions` alone, which are read when the store is first asked; spans are read where those say they are.
 *
 * Calls reject with `store_full`, `store_failed`, `timed_out` or `store_closed`; then nothing of a write is stored. A line
 * that cannot be read is reported with its place, and what it said is missing. Throws `invalid_argument` for options that
 * cannot be used.
 */
export function createJsonFilesStore(options: JsonFilesStoreOptions): TraceStore {
  const { folder, durability = "process-crash", retention, onProblem } = options;
  if (typeof folder !== "string" || folder === "")
    throw invalidOption("folder", "It must be the path of a folder.");
  if (durability !== "process-crash" && durability !== "power-loss") {
    throw invalidOption("durability", 'It must be "process-crash" or "power-loss".');
  }
  const root = resolve(folder);
  const capabilities: StoreCapabilities = {
    durability,
    concurrentWriters: true,
    crossProcessReads: true,
    erasure: "immediate",
    provenSpansPerExecution: 100_000,
  };
  const tell = onProblem ?? ((problem: SpanloomError) => console.warn(`Spanloom: ${problem.message}`));
  return createBackedStore({
    name: "json-files",
    capabilities,
    retention,
    ...(onProblem !== undefined && { onProblem }),
    backing(scope) {
      const path = join(root, folderOf(scope));
      let made: Promise<void> | undefined;
      const prepare = (): Promise<void> => {
        made ??= makeFolder(path, scope);
        made.catch(() => {
          made = undefined;
        });
        return made;
      };
      return new JsonFilesBacking(path, prepare, {
        sync: durability === "power-loss",
        onDamage: (damage) => quietly(() => tell(problemOf(path, damage))),
      });
    },
    scopes: () => readScopes(root, (problem) => quietly(() => tell(problem))),
    close: async () => {},
  });
}

const SCOPE_FILE = "scope.json";
const OURS = /^([a-z0-9-]+-)?[0-9a-f]{24}$/;

/** What can be read of the scope's name, and what tells it from all others, on any file system. */
function folderOf(scope: string): string {
  const readable = scope
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);
  const mark = createHash("sha256").update(scope).digest("hex").slice(0, 24);
  return readable === "" ? mark : `${readable}-${mark}`;
}

/** The file that says which scope the folder is for: whole or not there, whatever crashes or fills up. */
async function makeFolder(path: string, scope: string): Promise<void> {
  const file = join(path, SCOPE_FILE);
  try {
    if ((await readScope(file)) === scope) return;
    await mkdir(path, { recursive: true });
    const unfinished = `${file}.${randomUUID()}`;
    await writeFile(unfinished, JSON.stringify({ scope }));
    await rename(unfinished, file);
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Every scope that has a folder. What else stands there is not ours. */
async function readScopes(root: string, tell: (problem: SpanloomError) => void): Promise<string[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw toStoreError(error, root);
  });
  const scopes: string[] = [];
  for (const name of names) {
    const folder = join(root, name);
    const scope = await readScope(join(folder, SCOPE_FILE));
    if (scope !== undefined && folderOf(scope) === name) scopes.push(scope);
    // The name comes before the first line.
    else if (OURS.test(name) && (await isThere(join(folder, "executions")))) tell(namelessOf(folder));
  }
  return scopes;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** `undefined` where it does not say. */
async function readScope(file: string): Promise<string | undefined> {
  try {
    const { scope } = JSON.parse(await readFile(file, "utf8")) as { scope?: unknown };
    return typeof scope === "string" ? scope : undefined;
  } catch {
    return undefined;
  }
}

function problemOf(path: string, { file, offset, why }: Damage): SpanloomError {
  return new SpanloomError("store_failed", {
    what: `A line of ${join(path, file)} cannot be read, at byte ${offset}.`,
    why: `It seems damaged: ${why}.`,
    fix: "Bring the file back from a backup. What the line said is missing until then; all other lines are read.",
  });
}

function namelessOf(folder: string): SpanloomError {
  return new SpanloomError("store_failed", {
    what: `The folder ${folder} does not say whose it is.`,
    why: `Its file ${SCOPE_FILE} is missing or damaged, so retention cannot reach what is in it.`,
    fix: "Bring the file back from a backup, or write to its scope: then it is made again.",
  });
}

/** A failure of the host's own function is its own. */
function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // Nobody to tell.
  }
}

function invalidOption(name: string, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The option ${name} of createJsonFilesStore cannot be used.`,
    why,
    fix: "Correct it, or leave optional ones out.",
  });
}
