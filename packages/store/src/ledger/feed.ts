import type { HeldSpan } from "./held.ts";

/** A span's place in the feed of one execution; without `span` it is the tombstone of one that went away. */
export interface FeedEntry {
  readonly traceId: string;
  readonly spanId: string;
  span: HeldSpan | undefined;
  /** When it came to this execution: pages of an earlier commit leave it out. */
  insSeq: number;
  /** When it last changed. */
  seq: number;
}

/** A tombstone that is no longer one: no place in the log is its own. */
const NOWHERE = -1;

/** The entries of one execution in the order of their `seq`. An entry that changes is appended again; its old place is void. */
export class Feed {
  private entries: FeedEntry[] = [];
  private seqs: number[] = [];
  /** Entries that stand somewhere. */
  private standing = 0;

  /** Puts an entry at the end, by its `seq`, which must be the greatest so far. */
  append(entry: FeedEntry, isNew: boolean): void {
    this.entries.push(entry);
    this.seqs.push(entry.seq);
    if (isNew) this.standing++;
    if (this.entries.length > 2 * this.standing + 64) this.compact();
  }

  drop(entry: FeedEntry): void {
    entry.seq = NOWHERE;
    this.standing--;
  }

  /** Entries that changed after that commit, in the order of their changes. */
  *since(seq: number): Generator<FeedEntry, void, undefined> {
    for (let index = this.firstAfter(seq); index < this.entries.length; index++) {
      const entry = this.entries[index] as FeedEntry;
      if (entry.seq === this.seqs[index]) yield entry;
    }
  }

  private firstAfter(seq: number): number {
    let low = 0;
    let high = this.seqs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.seqs[middle] as number) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private compact(): void {
    this.entries = [...this.since(NOWHERE)];
    this.seqs = this.entries.map((entry) => entry.seq);
  }
}
