import { SpanloomError } from "@spanloom/model";
import { type Counts, countOf, replacement } from "./counts.ts";
import { SECRET_WORDS } from "./rules.ts";
import { scanAssignments } from "./scan-assignments.ts";
import { scanPrivateKeys } from "./scan-private-keys.ts";
import { BEGINNINGS, scanShapes } from "./scan-shapes.ts";
import { scanUrls } from "./scan-urls.ts";
import { type KeyRule, keyWords, secretKeyRule } from "./secret-keys.ts";

/** What a host adds to the built-in rules, which always apply. */
export interface RedactionOptions {
  /** Keys whose values are secret. Case and separators do not matter: `customer_ssn` is also `customerSsn` and `user.customer-ssn`. */
  keys?: readonly string[];
  /** Shapes that are secret in any text. */
  patterns?: readonly RedactionPattern[];
}

export interface RedactionPattern {
  /** Stands in the replacement: `[redacted:<name>]`. Letters, digits and `-`. */
  name: string;
  /** Every match is replaced. Runs on the main thread over every text: keep it free of nested repeats. */
  pattern: RegExp;
}

/** The rules, ready to run. */
export interface CompiledRules {
  /** The rule that the key's value falls under. */
  keyRule(key: string): KeyRule | undefined;
  /** The text without the secrets that show by themselves; the same string where there are none. */
  scan(text: string, counts: Counts): string;
  /** Whether the text may name a secret: a cheap test before a dear one. */
  namesSecret(text: string): boolean;
}

const MAX_CACHED_KEYS = 4_096;
/** No shape and no assignment is shorter. */
const MIN_LENGTH = 6;
const SHORT = 512;
const MARKER = /(\[redacted:[\w-]{1,60}\])/;

/** Compiles the built-in rules and the host's. Throws `invalid_argument` for a rule that cannot be used. */
export function compileRules(options: RedactionOptions = {}): CompiledRules {
  const ownKeys = (options.keys ?? []).map(readKey);
  const patterns = (options.patterns ?? []).map(readPattern);
  const keyPatterns = ownKeys.map(({ words }) => words.join("[ ._-]?"));
  const words = new RegExp([...SECRET_WORDS, ...keyPatterns].join("|"), "gi");
  // Most texts are short and hold nothing that could be of interest: one test instead of four.
  const anything = new RegExp([...SECRET_WORDS, ...keyPatterns, BEGINNINGS, "://"].join("|"), "i");
  const cache = new Map<string, KeyRule | undefined>();

  const decide = (key: string): KeyRule | undefined => {
    const joined = ownKeys.length === 0 ? "" : keyWords(key).join("_");
    const own = ownKeys.find(({ words }) => `_${joined}`.endsWith(`_${words.join("_")}`));
    return own?.rule ?? secretKeyRule(key);
  };
  const keyRule = (key: string): KeyRule | undefined => {
    const known = cache.get(key);
    if (known !== undefined || cache.has(key)) return known;
    const rule = decide(key);
    if (cache.size >= MAX_CACHED_KEYS) cache.clear();
    if (key.length <= 100) cache.set(key, rule);
    return rule;
  };
  const namesSecret = (text: string): boolean => {
    words.lastIndex = 0;
    return words.test(text);
  };

  return {
    keyRule,
    namesSecret,
    scan: (text, counts) => {
      let clean = text;
      if (text.length >= MIN_LENGTH && (text.length > SHORT || anything.test(text))) {
        clean = scanPrivateKeys(clean, counts);
        clean = scanShapes(clean, counts);
        clean = scanUrls(clean, counts);
        clean = scanAssignments(clean, words, keyRule, counts);
      }
      for (const { name, pattern } of patterns) clean = replacePattern(clean, name, pattern, counts);
      return clean;
    },
  };
}

/** Replacements themselves are left alone, whatever the host's pattern matches. */
function replacePattern(text: string, name: string, pattern: RegExp, counts: Counts): string {
  const replace = (part: string): string =>
    part.replace(pattern, (match) => (match === "" ? "" : replacement(countOf(counts, name))));
  if (!text.includes("[redacted:")) return replace(text);
  return text
    .split(MARKER)
    .map((part, index) => (index % 2 === 1 ? part : replace(part)))
    .join("");
}

function readKey(key: string): { words: string[]; rule: KeyRule } {
  const words = keyWords(key);
  if (words.length === 0) {
    throw new SpanloomError("invalid_argument", {
      what: `The redaction key ${JSON.stringify(key)} names nothing.`,
      why: "A key is found by its letters and digits, and this one has none.",
      fix: 'Name the key as it stands in your data, such as "customer_ssn".',
    });
  }
  return { words, rule: { name: words.join("-"), takes: "everything" } };
}

function readPattern({ name, pattern }: RedactionPattern): RedactionPattern {
  if (!/^[\w-]{1,60}$/.test(name) || !(pattern instanceof RegExp)) {
    throw new SpanloomError("invalid_argument", {
      what: `The redaction pattern ${JSON.stringify(name)} cannot be used.`,
      why: "It needs a name of letters, digits and dashes, and a regular expression.",
      fix: 'Write it like { name: "customer-number", pattern: /CN-\\d{8}/ }.',
    });
  }
  const flags = new Set(`${pattern.flags.replace("y", "")}g`);
  return { name, pattern: new RegExp(pattern.source, [...flags].join("")) };
}
