import type { SpanRecord } from "@spanloom/model";
import type { ProblemReporter } from "../problems.ts";
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
  /** Every record is on the disk before it counts as accepted. */
  readonly immediate: boolean;
  /** What is delivered within this time needs no disk. */
  readonly flushWithinMs: number;
  /** Records on the disk that are not delivered. */
  readonly pending: number;
  /** Of these, the ones that are in nobody's memory. */
  readonly unread: number;
  /** Starts to look for what processes left that are gone, now and every half minute. */
  start(found: (count: { records: number; damaged: number }) => void): void;
  /** Resolves when what was there at the start has been found. */
  readonly ready: Promise<void>;
  /** Watches over what is in memory: `queue`, and what is being sent. */
  guard(queue: RecordQueue, sending: ReadonlySet<Waiting>): MemoryGuard;
  /** Writes a record now; `undefined` when the disk would not. It is held in memory until `release`. */
  writeNow(record: SpanRecord): SpoolPlace | undefined;
  /** The record is delivered, or given up. */
  settle(place: SpoolPlace): void;
  /** Memory lets go of records that still have to be delivered: they will be read again. */
  release(places: readonly SpoolPlace[]): void;
  /** The oldest records that nobody holds, and how many were found to be unreadable. */
  read(count: number, bytes: number): Promise<{ records: Spooled[]; lost: number }>;
  /** Sets records apart that the other end refuses for good. False when even that failed. */
  bury(refused: readonly Refused[]): Promise<boolean>;
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

/** Puts on the disk what stays in memory too long. */
export interface MemoryGuard {
  /** A record was accepted just now that is in memory alone. */
  watch(): void;
  /** Writes everything that is in memory alone, at once. */
  rescue(): void;
  stop(): void;
}

/** What `createDiskSpool` of `@spanloom/tracer/durable` makes. */
export interface Durability {
  /** @internal */
  open(parts: { scope: string; destination: string; problems: ProblemReporter }): Spool;
}
