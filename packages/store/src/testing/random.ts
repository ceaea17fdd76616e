/** A seeded source of chance: a history that found a fault can be played again. */
export interface Random {
  /** A whole number from 0 up to, but not, `below`. */
  int(below: number): number;
  pick<T>(from: readonly T[]): T;
  /** True with the probability `share`. */
  chance(share: number): boolean;
  /** Lowercase hex digits, not all zero. */
  hex(digits: number): string;
  /** A copy in random order. */
  shuffled<T>(items: readonly T[]): T[];
}

/** mulberry32 (public domain, T. Ettinger): not for secrets. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    pick: (from) => from[int(from.length)] as (typeof from)[number],
    chance: (share) => next() < share,
    hex: (digits) =>
      (1 + int(15)).toString(16) + Array.from({ length: digits - 1 }, () => int(16).toString(16)).join(""),
    shuffled: (items) => {
      const copy = [...items];
      for (let last = copy.length - 1; last > 0; last--) {
        const other = int(last + 1);
        const item = copy[last] as (typeof copy)[number];
        copy[last] = copy[other] as (typeof copy)[number];
        copy[other] = item;
      }
      return copy;
    },
  };
}
