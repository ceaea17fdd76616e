import type { SpanRecord } from "@spanloom/model";
import type { ProblemReporter } from "../problems.ts";
import type { DropReason } from "./counters.ts";
import type { RecordQueue, Waiting } from "./record-queue.ts";

/** Where a record stands on the disk; only the spool that gave it reads it. */
export type SpoolPlace = object;

/** A record that the other end refuses for good, and why. */
export interface Refused {
  record: SpanRecord;
  code: string;
  /** One sentence, without content. */
  reason: string;
}

/** A record that was read back. */
export interface Spooled {
  place: SpoolPlace;
  record: SpanRecord;
  bytes: number;
}

/** The disk behind a delivery. None of its methods throws or rejects: a disk that fails is reported. */
export interface Spool {
  /** What is delivered within this time needs no disk. */
  readonly flushWithinMs: number;
  /** Records on the disk that are not delivered. */
  readonly pending: number;
  /** Of these, the ones that are in nobody's memory. */
  readonly unread: number;
  /**
   * Watches over what is in memory, `queue` and what is being sent, and looks for what processes left that are gone, now
   * and every half minute.
   */
  start(
    queue: RecordQueue,
    sending: Iterable<Waiting>,
    found: (count: { records: number; damaged: number }) => void,
  ): void;
  /** Resolves when what was there at the start has been found. */
  readonly ready: Promise<void>;
  /**
   * Sees a record into the queue. `put` gives its entry, or why there is no room. Gives the same, or `undefined` when the
   * disk alone has it.
   */
  admit(
    record: SpanRecord,
    before: Waiting | undefined,
    put: () => Waiting | DropReason,
  ): Waiting | DropReason | undefined;
  /** The record is delivered, or given up. */
  settle(place: SpoolPlace): void;
  /** Memory lets go of records that still have to be delivered: they will be read again. */
  release(places: readonly SpoolPlace[]): void;
  /** The oldest records that nobody holds, and how many were found to be unreadable. */
  read(count: number, bytes: number): Promise<{ records: Spooled[]; lost: number }>;
  /** Sets records apart that the other end refuses for good. False when even that failed. */
  bury(refused: readonly Refused[]): Promise<boolean>;
  /** Writes everything that is in memory alone, at once, and watches no more. */
  rescue(): void;
  /**
   * Takes an execution off the disk, dead letters included. `gone` is told at once what left which count; records that are
   * in memory are the caller's to settle. Rejects when the disk would not, unlike all others: somebody waits for it.
   */
  deleteExecution(
    executionId: string,
    gone: (from: "spilled" | "deadLettered", count: number) => void,
  ): Promise<void>;
  /** What is not delivered stays for the next process. */
  close(): Promise<void>;
}

/** What `createDiskSpool` of `@spanloom/tracer/durable` makes. */
export interface Durability {
  /** @internal */
  open(parts: { scope: string; destination: string; problems: ProblemReporter }): Spool;
}
