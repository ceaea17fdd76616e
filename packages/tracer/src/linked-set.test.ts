import { expect, test } from "vitest";
import { type Linked, LinkedSet } from "./linked-set.ts";

interface Letter extends Linked {
  letter: string;
}

test("members come in the order of adding, and may go while they are walked over", () => {
  const set = new LinkedSet<Letter>();
  const letters = [..."abcdef"].map((letter): Letter => ({ letter, before: undefined, after: undefined }));
  for (const member of letters) set.add(member);
  expect(spelled(set)).toBe("abcdef");

  for (const member of set) if ("adf".includes(member.letter)) set.delete(member);
  expect(spelled(set)).toBe("bce");
  expect(set.size).toBe(3);

  set.add(letters[0] as Letter);
  expect(spelled(set)).toBe("bcea");
  for (const member of set) set.delete(member);
  expect(spelled(set)).toBe("");
  expect(set.size).toBe(0);
});

test("a member that is in no set is no member of this one, and is not taken out of it twice", () => {
  const set = new LinkedSet<Letter>();
  const [one, other] = [..."xy"].map((letter): Letter => ({ letter, before: undefined, after: undefined }));
  set.add(one as Letter);
  set.delete(other as Letter);
  expect(set.size).toBe(1);
  set.delete(one as Letter);
  set.delete(one as Letter);
  expect(set.size).toBe(0);
});

test("who has left holds none of those who stayed", () => {
  const set = new LinkedSet<Letter>();
  const letters = [..."abc"].map((letter): Letter => ({ letter, before: undefined, after: undefined }));
  for (const member of letters) set.add(member);
  const [first, middle] = letters;
  set.delete(middle as Letter);
  expect(middle).toEqual({ letter: "b", before: undefined, after: undefined });
  set.delete(first as Letter);
  expect(first).toEqual({ letter: "a", before: undefined, after: undefined });
});

function spelled(set: LinkedSet<Letter>): string {
  return [...set].map(({ letter }) => letter).join("");
}
