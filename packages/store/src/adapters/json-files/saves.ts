import { linesOf, type TextLine } from "./log-files.ts";

/** How far a file of `executions` was read: up to which byte, and the number of the save that ends there. */
export interface Reached {
  end: number;
  n: number;
}

/** What was appended at once, without the commit that ends it. */
export interface Save {
  lines: SaveLine[];
  reached: Reached;
}

export interface SaveLine {
  text: string;
  /** In bytes of the file. */
  start: number;
  /** The number of the save; absent where the line does not say one that is possible here. */
  n: number | undefined;
}

const COMMIT = /^\{"commit":(\d+)\}$/;
const NUMBER = /^\{"n":(\d+),/;

/**
 * The saves of a file from some place on. One writer appends to a file, and only behind a save that is whole: so lines that
 * are followed by a commit hold, also where their own cannot be read. What stands behind the last commit is what a crash
 * left of a save: whole lines, and one that was cut off. A whole line that cannot be read has been damaged later, and may
 * have been a commit.
 */
export function* savesOf(bytes: Buffer, from: Reached): Generator<Save, void, undefined> {
  let { n } = from;
  let lines: TextLine[] = [];
  for (const line of linesOf(bytes, from.end)) {
    const commit = COMMIT.exec(line.text)?.[1];
    if (commit === undefined) {
      lines.push(line);
      continue;
    }
    const save = numbered(lines, n, Number(commit));
    n = Math.max(n, Number(commit));
    yield { lines: save, reached: { end: line.end + 1, n } };
    lines = [];
  }
  const damaged = lines.findLastIndex(({ text }) => !isJson(text));
  const last = lines[damaged];
  if (last === undefined) return;
  const save = numbered(lines.slice(0, damaged + 1), n, Number.POSITIVE_INFINITY);
  for (const line of save) n = Math.max(n, line.n ?? 0);
  yield { lines: save, reached: { end: last.end + 1, n } };
}

/** Numbers grow from save to save. */
function numbered(lines: readonly TextLine[], above: number, most: number): SaveLine[] {
  return lines.map(({ text, start }) => {
    const n = Number(NUMBER.exec(text)?.[1]);
    return { text, start, n: n > above && n <= most ? n : undefined };
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
