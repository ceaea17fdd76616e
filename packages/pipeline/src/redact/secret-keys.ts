/**
 * Which keys hold a secret. A key is read as words (`x-api-key`, `apiKey` and `http.request.header.x-api-key` all end in
 * "api key"), so that `max_tokens`, `token_count`, `public_key` and `password_policy` are nobody's secrets.
 */

export interface KeyRule {
  /** Stands in the replacement: `[redacted:<name>]`. */
  name: string;
  /**
   * `everything`: texts, numbers (a numeric password) and whole structures. `text`: texts, and what looks made up in a
   * structure. `random`: only what looks made up.
   */
  takes: "everything" | "text" | "random";
}

const PASSWORD: KeyRule = { name: "password", takes: "everything" };
const SECRET: KeyRule = { name: "secret", takes: "everything" };
const KEY: KeyRule = { name: "key", takes: "everything" };
const AUTHORIZATION: KeyRule = { name: "authorization", takes: "everything" };
const COOKIE: KeyRule = { name: "cookie", takes: "everything" };
const TOKEN: KeyRule = { name: "token", takes: "text" };
const TOKENS: KeyRule = { name: "token", takes: "random" };
const CREDENTIAL: KeyRule = { name: "credential", takes: "everything" };
const CONNECTION: KeyRule = { name: "connection-string", takes: "everything" };

/** By last word. */
const LAST_WORD: ReadonlyMap<string, KeyRule> = new Map([
  ...each(AUTHORIZATION, "authorization"),
  ...each(PASSWORD, "pwd", "passcode", "passphrase"),
  ...each(SECRET, "secret", "secrets", "otp", "totp"),
  ...each(COOKIE, "cookie", "cookies", "setcookie"),
  ...each(
    TOKEN,
    "token",
    "jwt",
    "bearer",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "csrf",
    "xsrf",
  ),
  ...each(CREDENTIAL, "credential", "credentials"),
  ...each(CONNECTION, "connectionstring", "connstring", "connstr", "dsn"),
  ...each(
    KEY,
    "apikey",
    "apikeys",
    "privatekey",
    "secretkey",
    "accesskey",
    "accountkey",
    "authkey",
    "encryptionkey",
    "signingkey",
  ),
]);

/** By the word before a last `pass`, which else is a pass over something. */
const PASS_OF = new Set(
  "db database user smtp mail redis pg mysql postgres admin root auth proxy login".split(" "),
);

/** By the word before a last `key` or `keys`. */
const KEY_OF: ReadonlySet<string> = new Set(
  "api private secret access auth encryption decryption signing master account subscription ssh gpg pgp hmac webhook session service deploy shared role client".split(
    " ",
  ),
);

/** Whose keys have no shape of their own, or not always: before a last `key`. */
const KEY_FROM: ReadonlySet<string> = new Set(
  "anthropic azure cohere deepseek gemini google groq mistral openai openrouter perplexity pinecone replicate sendgrid stripe supabase tavily together twilio".split(
    " ",
  ),
);

/** Behind a name: which of several it is. */
const WHICH: ReadonlySet<string> = new Set(
  "value base64 b64 pem raw prod production staging dev live primary secondary current old new v".split(" "),
);

/** Before a last `tokens`, which else are counted. */
const TOKENS_OF: ReadonlySet<string> = new Set("access auth refresh id api bearer session".split(" "));

/** Before a last `token`: places in a text or a listing, nobody's secrets. */
const HARMLESS_TOKEN: ReadonlySet<string> = new Set(
  "max min total num first last next prev previous page continuation stop eos bos pad unk mask special per by cancellation cancel".split(
    " ",
  ),
);

/** After a password word: what is said about passwords, not one. */
const ABOUT = new Set(
  "policy policies length len min max reset required strength expires expired expiry expiration at count field hint enabled changed updated set type id name url link form rules".split(
    " ",
  ),
);

/** The rule that the key falls under. */
export function secretKeyRule(key: string): KeyRule | undefined {
  const words = keyWords(key);
  const last = words.at(-1);
  if (last === undefined) return undefined;
  const before = words.at(-2);
  if (words.some((word) => word.includes("passw"))) return ABOUT.has(last) ? undefined : PASSWORD;
  const rule = LAST_WORD.get(last);
  if (rule === TOKEN && before !== undefined && HARMLESS_TOKEN.has(before)) return undefined;
  if (last === "pass") return before !== undefined && PASS_OF.has(before) ? PASSWORD : undefined;
  if (rule !== undefined) return rule;
  if (last === "key" || last === "keys")
    return before !== undefined && (KEY_OF.has(before) || KEY_FROM.has(before)) ? KEY : undefined;
  if (last === "tokens") return words.length === 1 || TOKENS_OF.has(before as string) ? TOKENS : undefined;
  if ((last === "code" && before === "device") || (last === "verifier" && before === "code")) return TOKEN;
  if (last === "string" && (before === "connection" || before === "conn")) return CONNECTION;
  if (last === "auth" && (before === "basic" || before === "proxy" || before === "bearer"))
    return AUTHORIZATION;
  if (last === "phrase" && (before === "seed" || before === "recovery")) return SECRET;
  if (WHICH.has(last)) {
    return words.length > 1 ? secretKeyRule(words.slice(0, -1).join("_")) : undefined;
  }
  // Run together, as environment variables of some tools have it: MYAPIKEY, GITHUBTOKEN.
  if (last.endsWith("apikey") || last.endsWith("secretkey") || last.endsWith("privatekey")) return KEY;
  return undefined;
}

/** A key's words in lower case, without numbers at its end (`cookies.0`, `password2`). */
export function keyWords(key: string): string[] {
  const words = key
    .slice(-200)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) =>
      word.replace(/\d+$/, (digits) =>
        word.length === digits.length || /b64|base64/.test(word) ? digits : "",
      ),
    )
    .filter((word) => word !== "");
  while (words.length > 0 && /^\d+$/.test(words.at(-1) as string)) words.pop();
  return words;
}

function each(rule: KeyRule, ...words: string[]): [string, KeyRule][] {
  return words.map((word) => [word, rule]);
}
