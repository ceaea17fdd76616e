import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { LogDirectory } from "./log-directory.ts";
import { isAlive, removeLock } from "./owners.ts";

export interface Abandoned {
  logs: LogDirectory[];
  /** Lines that could not be read. */
  damaged: number;
}

/**
 * Takes over what writers left that are gone. A directory belongs to the writer whose name it begins with; renaming it is
 * what takes it over, so that of several processes that try one succeeds, and a crash in between changes nothing.
 */
export async function takeOver(directory: string, writer: string, taken: () => number): Promise<Abandoned> {
  const found: Abandoned = { logs: [], damaged: 0 };
  const entries = await namesIn(directory);
  const owners = new Set(entries.map(ownerOf).filter((owner) => owner !== undefined && owner !== writer));
  for (const owner of owners as Set<string>) {
    if (await isAlive(directory, owner)) continue;
    const left = entries.filter((name) => name.endsWith(LOG_SUFFIX) && ownerOf(name) === owner).sort();
    for (const name of left) {
      const path = join(directory, logName(writer, taken()));
      try {
        await rename(join(directory, name), path);
      } catch (error) {
        if (isMissing(error)) continue;
        throw error;
      }
      const { log, damaged } = await LogDirectory.scan(path);
      found.damaged += damaged;
      if (log.pending > 0) found.logs.push(log);
      else await log.tidy(true);
    }
    await removeLock(directory, owner);
  }
  return found;
}

/** A writer's directory: its own log is number 0, the ones that it took over follow. */
export function logName(writer: string, number: number): string {
  return `${writer}~${number}${LOG_SUFFIX}`;
}

const LOG_SUFFIX = ".log";

function ownerOf(name: string): string | undefined {
  return /^(\d+-[0-9a-f]{12})(?:~\d+\.log|\.lock)$/.exec(name)?.[1];
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
