import { createRequire } from "node:module";
import { type SpanKind, SpanloomError } from "@spanloom/model";
import type { RE2JS as Engine } from "re2js";
import { betweenMarkers, type Tally } from "./tally.ts";

/** A shape that is secret in any text. */
export interface RedactionPattern {
  /** Stands in the replacement: `[redacted:<name>]`. Letters, digits and `-`. */
  name: string;
  /**
   * Every match is replaced. Runs in linear time whatever the text: RE2 syntax, and of a RegExp what RE2 knows too. Look
   * ahead and back-references are refused, as no engine runs them in linear time.
   */
  pattern: string | RegExp;
}

/** A rule in code, for what no pattern can say. */
export interface RedactionFunction {
  /** Under which its replacements are counted. Letters, digits and `-`. */
  name: string;
  /**
   * The text to keep in place of this one; `undefined` leaves it as it is. Called once for each text and, of JSON text,
   * for each text inside; the built-in rules follow. Must be fast and give for its own answers `undefined`. When it
   * throws, the field is withheld.
   */
  redact: (text: string, where: RedactionPlace) => string | undefined;
}

/** Where a text stands. */
export interface RedactionPlace {
  /** The record's field, such as `input`, `attributes` or `events`. */
  field: string;
  /** The nearest key, inside objects. */
  key: string | undefined;
  kind: SpanKind;
}

export interface HostRules {
  /** Whether there are any at all. */
  readonly any: boolean;
  readonly names: ReadonlySet<string>;
  /** Whether there are functions. */
  readonly calls: boolean;
  /** Applies the functions. */
  call(text: string, where: RedactionPlace, tally: Tally): string;
  /** Applies the patterns; stops when the time is over, and what it gives then is not to be kept. */
  match(text: string, tally: Tally, inTime: () => boolean): string;
}

/** Compiles the host's rules. Throws `invalid_argument` for one that cannot be used. */
export function compileHostRules(
  patterns: readonly RedactionPattern[],
  functions: readonly RedactionFunction[],
): HostRules {
  for (const { name } of [...patterns, ...functions]) checkName(name);
  for (const { name, redact } of functions) {
    if (typeof redact !== "function") throw unusable(name, "It has no function `redact`.");
  }
  const compiled = patterns.map(({ name, pattern }) => ({ name, engine: compilePattern(name, pattern) }));

  return {
    any: patterns.length + functions.length > 0,
    names: new Set([...patterns, ...functions].map(({ name }) => name)),
    calls: functions.length > 0,
    call: (text, where, tally) => {
      let current = text;
      for (const { name, redact } of functions) {
        const answer = redact(current, where);
        if (answer === undefined || answer === current) continue;
        if (typeof answer !== "string") throw new TypeError(`The redaction rule ${name} gave no text.`);
        tally.count(name);
        current = answer;
      }
      return current;
    },
    match: (text, tally, inTime) => {
      let current = text;
      for (const { name, engine } of compiled) {
        if (engine.test(current)) {
          current = betweenMarkers(current, (part) => replaceMatches(part, engine, name, tally, inTime));
        }
      }
      return current;
    },
  };
}

/** Each search is linear in the text. A pattern that has to look to its end for each match takes many: hence the clock. */
function replaceMatches(
  text: string,
  engine: Engine,
  rule: string,
  tally: Tally,
  inTime: () => boolean,
): string {
  const matcher = engine.matcher(text);
  let out = "";
  let copied = 0;
  while (matcher.find() && inTime()) {
    const from = matcher.start();
    const to = matcher.end();
    if (from === to) continue;
    out += text.slice(copied, from) + tally.replace(rule, text.slice(from, to));
    copied = to;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

let engines: typeof Engine | undefined;

/** 200 KB of code, for hosts that have patterns. At once, not later: no span may pass before its rules are there. */
function loadEngine(): typeof Engine {
  try {
    engines ??= (createRequire(import.meta.url)("re2js") as { RE2JS: typeof Engine }).RE2JS;
    return engines;
  } catch (cause) {
    throw new SpanloomError("invalid_argument", {
      what: "The redaction patterns cannot be used.",
      why: 'Their engine, the package "re2js", could not be loaded.',
      fix: 'Keep "re2js" out of your bundle, so that it stands in node_modules where the program runs.',
      cause,
    });
  }
}

function compilePattern(name: string, pattern: string | RegExp): Engine {
  if (typeof pattern !== "string" && !(pattern instanceof RegExp)) {
    throw unusable(name, "Its pattern is neither a text nor a regular expression.");
  }
  // Sets of sets would be read as something else.
  if (typeof pattern !== "string" && pattern.flags.includes("v")) {
    throw unusable(name, "RE2 has no `v` flag.");
  }
  const engine = loadEngine();
  try {
    const source = engine.translateRegExp(pattern);
    return engine.compile(source, engine.LOOKBEHINDS);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unusable(name, `RE2, which runs in linear time, cannot read it: ${why}.`, cause);
  }
}

function checkName(name: string): void {
  if (!/^[\w-]{1,60}$/.test(name)) throw unusable(name, "Its name is not of letters, digits and dashes.");
}

function unusable(name: string, why: string, cause?: unknown): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The redaction rule ${JSON.stringify(name)} cannot be used.`,
    why,
    fix: 'Write it like { name: "customer-number", pattern: "CN-\\\\d{8}" }, without look-ahead and back-references, or as a function: { name, redact: (text, where) => ... }.',
    ...(cause !== undefined && { cause }),
  });
}
