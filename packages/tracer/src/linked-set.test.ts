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

test("while it is walked over, others may go and come; where one and the next go at once, the walk ends", () => {
  const set = new LinkedSet<Letter>();
  const letters = [..."abcdef"].map((letter): Letter => ({ letter, before: undefined, after: undefined }));
  const [a, b, c, d, e, f] = letters as [Letter, Letter, Letter, Letter, Letter, Letter];
  for (const member of [a, b, c, d, e]) set.add(member);
  let walked = "";
  for (const member of set) {
    walked += member.letter;
    if (member === a) set.delete(b);
    if (member === c) set.delete(c);
    if (member === e) set.add(f);
  }
  expect(walked).toBe("acdef");
  expect(spelled(set)).toBe("adef");
  for (const member of set) {
    if (member !== d) continue;
    set.delete(d);
    set.delete(e);
  }
  expect(spelled(set)).toBe("af");
});

function spelled(set: LinkedSet<Letter>): string {
  return [...set].map(({ letter }) => letter).join("");
}
