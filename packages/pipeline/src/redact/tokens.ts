import { createHmac } from "node:crypto";
import { SpanloomError } from "@spanloom/model";
import type { TokenOf } from "./tally.ts";

/** A key under which values become tokens. */
export interface TokenKey {
  /** Stands in each token: letters and digits, at most 16. Never use one id for two secrets. */
  id: string;
  /** At least 16 characters or bytes, from a random source. Whoever has it can test guesses against tokens. */
  secret: string | Uint8Array;
}

export interface TokenOptions {
  /** The first makes new tokens; the others are those that older spans carry. To rotate, put a new one first. */
  keys: readonly TokenKey[];
}

/** Makes the tokens of a scope. */
export type TokensOfScope = (scope: string) => TokenOf;

const MAX_SCOPES = 1_000;
const DIGITS = 16;

/** Makes tokens under the first key. Throws `invalid_argument` for keys that cannot be used. */
export function createTokens(options: TokenOptions): TokensOfScope {
  const [current] = readKeys(options);
  const scopes = new Map<string, TokenOf>();
  return (scope) => {
    const known = scopes.get(scope);
    if (known !== undefined) return known;
    const key = scopeKey(current, scope);
    const tokenOf: TokenOf = (rule, secret) => tokenUnder(current.id, key, rule, secret);
    if (scopes.size >= MAX_SCOPES) scopes.clear();
    scopes.set(scope, tokenOf);
    return tokenOf;
  };
}

/**
 * The tokens that a value has in a scope, one for each key, newest first: to search for a value that one knows.
 * `rule` is the first part of the token in question. Throws `invalid_argument` for keys that cannot be used.
 */
export function redactionTokens(
  options: TokenOptions,
  { rule, value, scope }: { rule: string; value: string; scope: string },
): string[] {
  return readKeys(options).map((key) => tokenUnder(key.id, scopeKey(key, scope), rule, value));
}

function tokenUnder(id: string, key: Buffer, rule: string, secret: string): string {
  const digest = createHmac("sha256", key).update(canonical(rule, secret)).digest("hex");
  return `[${rule}:${id}:${digest.slice(0, DIGITS)}]`;
}

/** Each scope has a key of its own, so that equal values of two tenants cannot be told to be equal. */
function scopeKey({ secret }: TokenKey, scope: string): Buffer {
  return createHmac("sha256", secret).update(`spanloom redaction token\n${scope}`).digest();
}

/** The value itself, not how somebody wrote it down. */
function canonical(rule: string, secret: string): string {
  switch (rule) {
    case "email":
      return secret.replace(/%40/i, "@").toLowerCase();
    case "card":
    case "phone":
    case "ssn":
      return secret.replace(/\D/g, "");
    case "iban":
      return secret.replace(/\s/g, "").toUpperCase();
    default:
      return secret;
  }
}

function readKeys({ keys }: TokenOptions): [TokenKey, ...TokenKey[]] {
  const [first, ...others] = keys;
  const ids = new Set(keys.map(({ id }) => id));
  const usable = keys.every(({ id, secret }) => /^[A-Za-z0-9]{1,16}$/.test(id) && secret.length >= 16);
  if (first === undefined || ids.size !== keys.length || !usable) {
    throw new SpanloomError("invalid_argument", {
      what: "The keys of redaction tokens cannot be used.",
      why: "There must be one at least, each with an id of its own of up to 16 letters and digits, and a secret of 16 characters or more.",
      fix: 'Write them like tokens: { keys: [{ id: "k1", secret: process.env.REDACTION_SECRET }] }.',
    });
  }
  return [first, ...others];
}
