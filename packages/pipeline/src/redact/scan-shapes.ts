import { endsInEscape } from "./escapes.ts";
import { LiteralSearch } from "./find-literals.ts";
import { SHAPES, type ShapeRule } from "./rules.ts";
import type { Tally } from "./tally.ts";

interface CompiledShape {
  rule: ShapeRule;
  pattern: RegExp;
}

const BEFORE = { word: /[A-Za-z0-9]/, run: /[\w-]/ };
const REST_OF_RUN = /[\w-]*/y;

const byBeginning = new Map<string, CompiledShape[]>();
for (const rule of SHAPES) {
  const pattern = new RegExp(`(?:${rule.begins.map(escaped).join("|")})${rule.rest}`, "y");
  for (const begin of rule.begins)
    byBeginning.set(begin, [...(byBeginning.get(begin) ?? []), { rule, pattern }]);
}
// Longest first, so that `sk-ant-` is not taken for `sk-`; the shorter one's rules follow where the longer one's fail.
const beginnings = [...byBeginning.keys()].sort((a, b) => b.length - a.length);
for (const begin of beginnings) {
  for (const shorter of beginnings) {
    if (shorter === begin || !begin.startsWith(shorter)) continue;
    byBeginning.get(begin)?.push(...(byBeginning.get(shorter) ?? []));
  }
}
const anyBeginning = new LiteralSearch(beginnings.map(escaped).join("|"), "", beginnings);

/** The text with every secret of a known shape replaced; the same string where there is none. */
export function scanShapes(text: string, tally: Tally): string {
  let out = "";
  let copied = 0;
  let from = 0;
  for (let hit = anyBeginning.next(text, from); hit !== null; hit = anyBeginning.next(text, from)) {
    const at = hit.index;
    const end = secretEnd(text, at, hit[0]);
    from = end?.index ?? at + 1;
    if (end === undefined) continue;
    out += text.slice(copied, at) + tally.replace(end.name, text.slice(at, end.index));
    copied = end.index;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function secretEnd(text: string, at: number, begin: string): { index: number; name: string } | undefined {
  for (const { rule, pattern } of byBeginning.get(begin) ?? []) {
    if (rule.after !== "nothing" && at > 0 && BEFORE[rule.after].test(text[at - 1] as string)) {
      if (!endsInEscape(text, at)) continue;
    }
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) continue;
    if (rule.accept === undefined) return { index: pattern.lastIndex, name: rule.name };
    if (!rule.accept(match[0])) continue;
    REST_OF_RUN.lastIndex = pattern.lastIndex;
    REST_OF_RUN.test(text);
    return { index: REST_OF_RUN.lastIndex, name: rule.name };
  }
  return undefined;
}

function escaped(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
