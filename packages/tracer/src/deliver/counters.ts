/** Why records were lost. */
export type DropReason =
  /** The queue was at its bound, because the other end is slow or away; with a spool, the disk was at its own as well. */
  | "queue_full"
  /** One record alone was larger than the queue. */
  | "too_large"
  /** The other end refused the record itself, and took others. */
  | "rejected"
  /** It stood in the spill log, and the disk gave something else back. */
  | "damaged"
  /** Its execution was deleted while it waited. */
  | "deleted"
  /** It still waited when the tracer was shut down, or came after that. */
  | "shutdown";

/**
 * Counters of one destination. At any moment: accepted = stored + merged + queued + spilled + deadLettered + all dropped.
 */
export interface DeliveryStats {
  /** States of spans that were handed over: each span once when it ended, and longer ones also while they ran. */
  accepted: number;
  /** Of these, what an earlier process had accepted, and left on the disk. */
  recovered: number;
  /** Confirmed by the other end. */
  stored: number;
  /** Replaced by a newer state of the same span before they were sent. */
  merged: number;
  /** Waiting or under way, in memory alone: what a crash would lose. */
  queued: number;
  /** Waiting or under way, and on the disk. */
  spilled: number;
  /** Refused for good by the other end, and set apart in a file. */
  deadLettered: number;
  dropped: Partial<Record<DropReason, number>>;
}
