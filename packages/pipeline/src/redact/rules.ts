/**
 * Well-known shapes of secrets, found in any text by how they begin. A pattern is tried only where one of its
 * beginnings stands, so a text costs one pass. Every pattern runs in linear time: a repeat is followed by nothing, or
 * by what the repeated characters cannot be, and a scan that may fail late begins only where its run of characters does.
 */
export interface ShapeRule {
  /** Stands in the replacement: `[redacted:<name>]`. */
  name: string;
  /** How such a secret begins, literally. */
  begins: readonly string[];
  /** What follows, as the source of a pattern without capturing groups. */
  rest: string;
  /** What may not stand before it: `word` another letter or digit, `run` also `-` and `_`, `nothing` no rule. */
  after: "word" | "run" | "nothing";
  /**
   * Told apart from ordinary words of the same shape. Then `rest` must be bounded, or text that is refused again and
   * again would be read again and again; the run of characters after an accepted one goes with it.
   */
  accept?: (secret: string) => boolean;
}

export const SHAPES: readonly ShapeRule[] = [
  word("anthropic-key", ["sk-ant-"], "[\\w-]{16,}"),
  word("openai-key", ["sk-proj-", "sk-svcacct-", "sk-admin-"], "[\\w-]{16,200}", hasDigit),
  word("openrouter-key", ["sk-or-"], "[\\w-]{16,200}", hasDigit),
  word("langfuse-key", ["sk-lf-"], "[\\w-]{16,200}", hasDigit),
  word("openai-key", ["sk-"], "[\\w-]{20,200}", looksRandom),
  word("aws-access-key", ["AKIA", "ASIA", "ABIA", "ACCA"], "[A-Z2-7]{16}(?![A-Za-z0-9])"),
  word("github-token", ["gho_", "ghp_", "ghr_", "ghs_", "ghu_"], "[A-Za-z0-9]{30,}"),
  word("github-token", ["github_pat_"], "\\w{22,}"),
  word(
    "gitlab-token",
    ["glpat-", "gloas-", "gldt-", "glrt-", "glcbt-", "glptt-"],
    "[\\w-]{20,200}",
    hasDigit,
  ),
  word("gitlab-token", ["glft-", "glsoat-", "glagent-", "glimt-", "glffct-"], "[\\w-]{20,200}", hasDigit),
  word(
    "slack-token",
    ["xoxa-", "xoxb-", "xoxe-", "xoxe.xox", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
    "[\\w-]{10,}",
  ),
  word("slack-token", ["xapp-"], "[\\w-]{10,200}", hasDigit),
  { name: "slack-webhook", begins: ["hooks.slack.com/"], rest: "[\\w/-]{20,}", after: "nothing" },
  word("stripe-key", ["sk_live_", "sk_test_", "rk_live_", "rk_test_"], "[A-Za-z0-9]{10,}"),
  word("webhook-secret", ["whsec_"], "[\\w+/=-]{20,}"),
  word("google-key", ["AIza"], "[\\w-]{35,}"),
  word("google-token", ["ya29."], "[\\w-]{20,}"),
  word("google-secret", ["GOCSPX-"], "[\\w-]{20,}"),
  word("npm-token", ["npm_"], "[A-Za-z0-9]{36,}"),
  word("pypi-token", ["pypi-"], "[\\w-]{50,200}", hasDigit),
  word("huggingface-token", ["hf_"], "[A-Za-z0-9]{30,}"),
  word("groq-key", ["gsk_"], "[A-Za-z0-9]{30,}"),
  word("xai-key", ["xai-"], "[A-Za-z0-9]{40,}"),
  word("perplexity-key", ["pplx-"], "[A-Za-z0-9]{30,}"),
  word("replicate-key", ["r8_"], "[A-Za-z0-9]{30,}"),
  word("langsmith-key", ["lsv2_pt_", "lsv2_sk_"], "\\w{30,}"),
  word("digitalocean-token", ["doo_v1_", "dop_v1_", "dor_v1_"], "[a-f0-9]{40,}"),
  word("shopify-token", ["shpat_", "shpca_", "shppa_", "shpss_"], "[a-fA-F0-9]{32,}"),
  word("databricks-token", ["dapi"], "[a-f0-9]{32,}"),
  word("vault-token", ["hvs.", "hvb."], "[\\w-]{20,}"),
  word("linear-key", ["lin_api_"], "[A-Za-z0-9]{30,}"),
  word("notion-token", ["ntn_"], "[A-Za-z0-9]{40,}"),
  word("age-key", ["AGE-SECRET-KEY-1"], "[A-Z0-9]{50,}"),
  { name: "telegram-token", begins: [":AA"], rest: "[\\w-]{32,200}", after: "nothing", accept: looksRandom },
  { name: "sendgrid-key", begins: ["SG."], rest: "[\\w-]{16,64}\\.[\\w-]{16,}", after: "run" },
  // JSON Web Tokens, signed or encrypted: base64url of `{"...` and at least one more part.
  {
    name: "jwt",
    begins: ["eyJ"],
    rest: "[\\w-]{8,}\\.[\\w-]*\\.[\\w-]*(?:\\.[\\w-]*\\.[\\w-]*)?",
    after: "run",
  },
];

export interface SecretWord {
  /** A pattern that ignores case. */
  source: string;
  /** What all that it matches begins with. */
  begins: string;
  /** What stands literally in all that it matches. */
  sure: string;
}

/**
 * Words by which a text may name a secret that has no shape of its own (`password=...`, `Authorization: ...`). Wider
 * than the rules: where one stands, the text around it is read with care.
 */
export const SECRET_WORDS: readonly SecretWord[] = [
  ...["pass", "pwd", "secret", "token", "jwt", "bearer", "authorization", "cookie", "credential", "dsn"].map(
    same,
  ),
  ...["key", "kty", "csrf", "xsrf", "otp", "auth=", "sig=", "signature="].map(same),
  { source: "curl\\s", begins: "curl", sure: "curl" },
  { source: "identified\\s", begins: "identified", sure: "identified" },
  { source: "basic\\s", begins: "basic", sure: "basic" },
  { source: "conn(?:ection)?[ _-]?str", begins: "conn", sure: "conn" },
  { source: "api[ _-]?key", begins: "api", sure: "key" },
];

function same(word: string): SecretWord {
  return { source: word, begins: word, sure: word };
}

/** Digits among letters, as a machine makes them: not the words of a name like `sk-fading-circle-container`. */
function looksRandom(text: string): boolean {
  return /\d[A-Za-z]|[A-Za-z]\d/.test(text);
}

function hasDigit(text: string): boolean {
  return /\d/.test(text);
}

function word(name: string, begins: string[], rest: string, accept?: ShapeRule["accept"]): ShapeRule {
  return { name, begins, rest, after: "word", ...(accept !== undefined && { accept }) };
}
