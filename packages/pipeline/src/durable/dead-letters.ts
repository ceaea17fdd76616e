import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { appendFile, mkdir, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isSpanloomError, type SpanRecord, type SpanSink } from "@spanloom/model";
import { DRAFT, rewriteFile } from "./rewrite-file.ts";

/** A record that the other end refused for good, as one line of JSON. */
export interface DeadLetter {
  /** When it was set apart, RFC 3339. */
  time: string;
  /** A stable code, such as `invalid_record`. */
  code: string;
  /** One sentence, without content. */
  reason: string;
  record: SpanRecord;
}

export interface DeadLettersOptions {
  /** Several processes may share it: each writes a file of its own. */
  directory: string;
  /** Most that a process writes; later letters are refused. Default 64 MB. */
  maxBytes?: number;
}

const MAX_BYTES = 64_000_000;

/** Where refused records wait for somebody to look at them: JSON Lines, kept until they are driven again. */
export class DeadLetters {
  readonly path: string;
  readonly #directory: string;
  readonly #maxBytes: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ directory, maxBytes = MAX_BYTES }: DeadLettersOptions) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.path = letterFile(directory);
  }

  /** Rejects when they could not be kept, or when the file has reached its bound. */
  async write(letters: readonly DeadLetter[]): Promise<void> {
    return this.#inTurn(() => this.#append(letters));
  }

  /** As `rewriteDeadLetters`, for all files of the directory; `removed` is how many went from the file of this writer. */
  async rewrite(rewrite: Rewrite): Promise<{ removed: number }> {
    let removed = 0;
    await this.#inTurn(() => rewriteFile(this.path, (line) => rewrittenLine(line, rewrite, () => removed++)));
    await rewriteFiles(this.#directory, rewrite, this.path);
    return { removed };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #append(letters: readonly DeadLetter[]): Promise<void> {
    const text = letters.map((letter) => `${JSON.stringify(letter)}\n`).join("");
    await mkdir(this.#directory, { recursive: true });
    const size = await stat(this.path).then(
      (found) => found.size,
      () => 0,
    );
    if (size + Buffer.byteLength(text) > this.#maxBytes)
      throw Object.assign(new Error("The dead-letter file has reached its bound."), { code: "EFBIG" });
    await appendFile(this.path, text);
  }
}

/** Gives the record as it shall stand, or nothing where its letter shall go. */
export type Rewrite = (record: SpanRecord) => SpanRecord | undefined;

/**
 * Changes or removes dead letters by a function, of all processes: for what must not stand anywhere any more. Each file is
 * written anew as a whole, so that a crash leaves the old one or the new one; call it again then. Lines that a crash tore
 * are removed. Rejects with what the disk or `rewrite` throws; files that were done before stay done.
 */
export async function rewriteDeadLetters(options: { directory: string; rewrite: Rewrite }): Promise<void> {
  await rewriteFiles(options.directory, options.rewrite);
}

async function rewriteFiles(directory: string, rewrite: Rewrite, except?: string): Promise<void> {
  await removeDrafts(directory);
  for (const name of await letterFiles(directory)) {
    if (join(directory, name) === except) continue;
    // A name of our own: a process that writes meanwhile begins a new file.
    const path = letterFile(directory);
    if (!(await succeeds(rename(join(directory, name), path)))) continue;
    let left = 0;
    await rewriteFile(path, (line) => {
      const kept = rewrittenLine(line, rewrite);
      if (kept !== undefined) left++;
      return kept;
    });
    if (left === 0) await succeeds(unlink(path));
  }
}

/** What a process left that died while it wrote a file anew. */
async function removeDrafts(directory: string): Promise<void> {
  for (const name of await namesIn(directory)) {
    if (!name.endsWith(DRAFT)) continue;
    const path = join(directory, name);
    await succeeds(
      stat(path).then(async ({ mtimeMs }) => {
        if (Date.now() - mtimeMs > DRAFT_AGE_MS) await unlink(path);
      }),
    );
  }
}

/** Nobody writes a file for so long. */
const DRAFT_AGE_MS = 60_000;

function rewrittenLine(line: Buffer, rewrite: Rewrite, removed?: () => void): Buffer | undefined {
  const letter = letterOf(line.toString());
  const record = letter && rewrite(letter.record);
  if (letter !== undefined && record === undefined) removed?.();
  if (letter === undefined || record === undefined) return undefined;
  if (record === letter.record) return line;
  // Whoever refused it may have quoted what was changed.
  const reason = `It was refused (${letter.code}), and its record was changed since.`;
  return Buffer.from(JSON.stringify({ ...letter, reason, record }));
}

/** Every dead letter of a directory, of all processes. Lines that a crash tore are left out. */
export async function* readDeadLetters(directory: string): AsyncGenerator<DeadLetter> {
  for (const name of await letterFiles(directory)) {
    for await (const line of createInterface({ input: createReadStream(join(directory, name)) })) {
      const letter = letterOf(line);
      if (letter !== undefined) yield letter;
    }
  }
}

/**
 * Writes dead letters to a sink again, for when the cause is mended. What it takes is deleted, what it refuses once more
 * stays, with the new reason. A crash in between only means that some are written twice. Rejects when the sink is away.
 */
export async function redriveDeadLetters(options: {
  directory: string;
  sink: SpanSink;
}): Promise<{ delivered: number; left: number }> {
  const { directory, sink } = options;
  const refused = new DeadLetters({ directory, maxBytes: Number.POSITIVE_INFINITY });
  let delivered = 0;
  let left = 0;
  for (const name of await letterFiles(directory)) {
    // A name of our own: a process that writes meanwhile begins a new file, and another one that drives finds nothing.
    const path = letterFile(directory);
    if (!(await succeeds(rename(join(directory, name), path)))) continue;
    const letters: DeadLetter[] = [];
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const letter = letterOf(line);
      if (letter !== undefined) letters.push(letter);
    }
    for (let from = 0; from < letters.length; from += BATCH) {
      const again = await drive(letters.slice(from, from + BATCH), sink);
      if (again.length > 0) await refused.write(again);
      left += again.length;
      delivered += Math.min(BATCH, letters.length - from) - again.length;
    }
    await succeeds(unlink(path));
  }
  return { delivered, left };
}

const BATCH = 100;

/** Gives those that were refused once more. */
async function drive(letters: DeadLetter[], sink: SpanSink): Promise<DeadLetter[]> {
  try {
    const { rejected } = await sink.write(letters.map(({ record }) => record));
    return rejected
      .filter(({ code }) => code !== "deleted_execution")
      .flatMap(({ index, code, message }) => {
        const letter = letters[index];
        return letter === undefined ? [] : [{ ...letter, code, reason: message }];
      });
  } catch (error) {
    const [only] = letters;
    const speaksOfRecords =
      isSpanloomError(error) && (error.code === "invalid_record" || error.code === "limit_exceeded");
    if (!speaksOfRecords) throw error;
    if (letters.length === 1 && only !== undefined)
      return [{ ...only, code: error.code, reason: error.what }];
    const again: DeadLetter[] = [];
    for (const letter of letters) again.push(...(await drive([letter], sink)));
    return again;
  }
}

/** False when another process has taken the file meanwhile. */
async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

function letterFile(directory: string): string {
  return join(directory, `${process.pid}-${randomBytes(6).toString("hex")}.jsonl`);
}

async function letterFiles(directory: string): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => name.endsWith(".jsonl")).sort();
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
}

function letterOf(line: string): DeadLetter | undefined {
  try {
    const letter = JSON.parse(line) as DeadLetter;
    return typeof letter.record === "object" && letter.record !== null ? letter : undefined;
  } catch {
    return undefined;
  }
}
