/** What a member of a {@link LinkedSet} carries: its neighbours there. */
export interface Linked {
  before: Linked | undefined;
  after: Linked | undefined;
}

/**
 * A set in the order of adding, for members that come and go by the thousand. Each is in one such set at a time.
 *
 * Not a `Set`: V8 leaves in each table that a `Set` outgrows its members and a pointer to the next one. Once one table is
 * old, the whole chain behind it lives until the next major collection, and with it every span that was ever in the set:
 * each minor collection then copies megabytes of them, on the host's main thread.
 */
export class LinkedSet<Member extends Linked> {
  /** Stands between the last and the first. */
  readonly #ends: Linked = { before: undefined, after: undefined };
  #size = 0;

  constructor() {
    this.#ends.before = this.#ends;
    this.#ends.after = this.#ends;
  }

  get size(): number {
    return this.#size;
  }

  /** For a member that is in no set. */
  add(member: Member): void {
    this.#size++;
    join(this.#ends.before as Linked, member);
    join(member, this.#ends);
  }

  /** For a member that is in no other set. */
  delete(member: Member): void {
    if (member.before === undefined) return;
    this.#size--;
    join(member.before, member.after as Linked);
    member.before = undefined;
    member.after = undefined;
  }

  /**
   * In the order of adding. Members may come and go meanwhile; where the one that was given last and the next one both go,
   * the walk ends there.
   */
  *[Symbol.iterator](): Generator<Member> {
    let { after: member } = this.#ends;
    while (member !== this.#ends && member?.after !== undefined) {
      const next = member.after;
      yield member as Member;
      member = member.after ?? next;
    }
  }
}

function join(before: Linked, after: Linked): void {
  before.after = after;
  after.before = before;
}
