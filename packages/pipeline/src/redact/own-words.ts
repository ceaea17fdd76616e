import { SHAPES } from "./rules.ts";

/** Why a content is not whole, in this package's words. */
export const REASONS = {
  replaced: "secrets were replaced",
  tooLarge: "too large to be scanned for secrets",
  tooSlow: "took too long to be scanned for secrets",
  failed: "cleaning it failed",
} as const;

const KEY_RULES = [
  "password",
  "secret",
  "key",
  "authorization",
  "cookie",
  "token",
  "credential",
  "connection-string",
];
const TEXT_RULES = ["private-key", "url-password", "url-token", "basic-auth", "bearer-token", "signature"];
const PERSONAL_RULES = ["card", "iban", "ssn", "email", "phone"];

/** What this package itself writes into a record: no pattern of a host is meant for it. */
export const OWN_WORDS: ReadonlySet<string> = new Set<string>([
  ...Object.values(REASONS),
  ...SHAPES.map(({ name }) => name),
  ...KEY_RULES,
  ...TEXT_RULES,
  ...PERSONAL_RULES,
  "too-large",
  "too-slow",
]);
