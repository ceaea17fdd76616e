import { SpanloomError } from "@spanloom/model";
import { type Capture, readCapture } from "./capture-policy.ts";
import { LiteralSearch } from "./find-literals.ts";
import { compileHostRules, type HostRules } from "./host-rules.ts";
import type { RedactionLimits, RedactionOptions } from "./options.ts";
import { choosePersonalData } from "./personal-data.ts";
import { createPrescan, MAY_HOLD } from "./prescan.ts";
import type { Progress } from "./progress.ts";
import { SECRET_WORDS } from "./rules.ts";
import { scanAssignments } from "./scan-assignments.ts";
import { isCard } from "./scan-cards.ts";
import { scanPrivateKeys } from "./scan-private-keys.ts";
import { scanShapes } from "./scan-shapes.ts";
import { scanUrls } from "./scan-urls.ts";
import { type KeyRule, keyWords, secretKeyRule } from "./secret-keys.ts";
import { createTokens, type TokensOfScope } from "./tokens.ts";

/** The rules, ready to run. */
export interface CompiledRules {
  readonly host: HostRules;
  readonly capture: Capture | undefined;
  readonly tokens: TokensOfScope | undefined;
  readonly limits: Required<RedactionLimits>;
  /** The rule that the key's value falls under. */
  keyRule(key: string): KeyRule | undefined;
  /** Of a key that is itself clean: its rule, `null` where it has none. `undefined` for a key that is not known to be clean. */
  cleanKey(key: string): KeyRule | null | undefined;
  /** What the text may hold, of `MAY_HOLD` and more; 0 for one that is clean, by the built-in rules. */
  suspect(text: string): number;
  /** The text without the secrets that show by themselves; the same string where there are none. `bits`: of `suspect`. */
  scan(text: string, bits: number, progress: Progress): string;
  /** Whether a number is one that is taken out. */
  isSecretNumber(value: number): boolean;
}

const DEFAULT_LIMITS: Required<RedactionLimits> = {
  textCharacters: 1_048_576,
  fieldCharacters: 8_388_608,
  fieldMs: 500,
};
/** Beside those of `MAY_HOLD`. */
const PERSONAL = 64;
const MAX_CACHED_KEYS = 4_096;
const MAX_CACHED_KEY = 100;

/** Compiles the built-in rules and the host's. Throws `invalid_argument` for a rule that cannot be used. */
export function compileRules(options: RedactionOptions = {}): CompiledRules {
  const ownKeys = (options.keys ?? []).map(readKey);
  const sources = [
    ...SECRET_WORDS.map(({ source }) => source),
    ...ownKeys.map(({ words }) => words.join("[ ._-]?")),
  ];
  const words = new LiteralSearch(sources.join("|"), "i", [
    ...SECRET_WORDS.map(({ begins }) => begins),
    ...ownKeys.map(({ words: [word = ""] }) => word),
  ]);
  const personal = choosePersonalData(options.personalData);
  const prescan = createPrescan(ownKeys.map(({ words: [word = ""] }) => word));
  const host = compileHostRules(options.patterns ?? [], options.functions ?? []);
  const { word, shape, url, digits } = MAY_HOLD;
  const suspect = (text: string): number => {
    const bits = prescan(text);
    return personal.suspect(text, (bits & digits) !== 0) ? bits | PERSONAL : bits & ~digits;
  };

  const decide = (key: string): KeyRule | undefined => {
    const joined = ownKeys.length === 0 ? "" : keyWords(key).join("_");
    const own = ownKeys.find((known) => `_${joined}`.endsWith(`_${known.words.join("_")}`));
    return own?.rule ?? secretKeyRule(key);
  };
  const decisions = new BoundedMap<KeyRule | undefined>();
  const keyRule = (key: string): KeyRule | undefined => decisions.get(key, decide);
  // A key under suspicion is read as any text is, each time, so that what it holds is counted.
  const judge = (key: string): KeyRule | null | undefined => {
    const bits = suspect(key);
    if (host.any || (bits & ~word) !== 0 || (bits !== 0 && holdsValue(key))) return undefined;
    return decide(key) ?? null;
  };
  const judged = new BoundedMap<KeyRule | null | undefined>();

  return {
    host,
    capture: readCapture(options.capture),
    tokens: options.tokens && createTokens(options.tokens),
    limits: readLimits(options.limits),
    keyRule,
    cleanKey: (key) => judged.get(key, judge),
    suspect,
    scan: (text, bits, progress) => {
      const { tally } = progress;
      let clean = text;
      if (bits & word) clean = scanPrivateKeys(clean, tally);
      if (bits & shape) clean = scanShapes(clean, tally);
      if (bits & url) clean = scanUrls(clean, tally);
      if (bits & word) clean = scanAssignments(clean, words, keyRule, tally);
      if (bits & PERSONAL) clean = personal.scan(clean, tally);
      return host.any ? host.match(clean, tally, () => progress.inTime()) : clean;
    },
    isSecretNumber: (value) => personal.cards && value >= 1e12 && isCard(String(value)),
  };
}

/** More than a name, such as a header line. */
function holdsValue(key: string): boolean {
  return /[^\w.-]/.test(key);
}

/** What was decided about texts that come again and again. Long ones are decided each time. */
class BoundedMap<Value> {
  readonly #known = new Map<string, Value>();

  get(key: string, decide: (key: string) => Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.has(key)) return known as Value;
    const value = decide(key);
    if (this.#known.size >= MAX_CACHED_KEYS) this.#known.clear();
    if (key.length <= MAX_CACHED_KEY) this.#known.set(key, value);
    return value;
  }
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

function readLimits(limits: RedactionLimits = {}): Required<RedactionLimits> {
  for (const [name, value] of Object.entries(limits)) {
    if (name in DEFAULT_LIMITS && typeof value === "number" && value > 0) continue;
    throw new SpanloomError("invalid_argument", {
      what: `The redaction limit ${JSON.stringify(name)} cannot be used.`,
      fix: `Use ${Object.keys(DEFAULT_LIMITS).join(", ")}, each a number above 0.`,
    });
  }
  return { ...DEFAULT_LIMITS, ...limits };
}
