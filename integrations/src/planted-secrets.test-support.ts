import type { RedactionOptions } from "@spanloom/pipeline";
import { IN_CONTEXT, PERSONAL, SHAPED } from "../../packages/pipeline/src/redact/canaries.test-support.ts";

/** A text that holds a secret, and the parts of it that may stand nowhere. */
interface Canary {
  text: string;
  secrets: readonly string[];
}

/** Every kind of secret that is known, one each. */
export const CANARIES: readonly Canary[] = [
  ...Object.values(SHAPED).map((text) => ({ text, secrets: text.split("\n") })),
  ...IN_CONTEXT.map(([text, secret]) => ({ text, secrets: [secret] })),
  ...Object.values(PERSONAL).map((text) => ({ text, secrets: [text] })),
  // Rules of the host.
  { text: "CN-71727374", secrets: ["CN-71727374"] },
  { text: "Kanarienvogel", secrets: ["Kanarienvogel"] },
];

/** Those that end where they end, whatever follows: one text with all of them. */
export const allSecrets: string = [
  ...Object.values(SHAPED),
  "Authorization: Bearer kanarie.bearer.t0ken",
  '{"password":"kanarie-pw-71"} postgres://app:kanarie-url-72@db/main',
  "the api key is k4n4rI3h4nD3d0v3r",
  ...Object.values(PERSONAL),
  "CN-71727374",
  "Kanarienvogel",
].join("\n");

/** What may be found nowhere. */
export const NEEDLES: readonly string[] = [
  ...CANARIES.flatMap(({ secrets }) => secrets),
  "kanarie.bearer",
  "kanarie-pw",
  "kanarie-url",
  "k4n4rI3h4nD3d0v3r",
];

/** Stands beside every secret and is none: where it is not found, nobody has looked. */
export const MARKER = "lighthouse";

/** Stands in prompts, answers, arguments, results and states alone, and in attributes that hold such. */
export const CONTENT = "driftwood";

/** Stands in messages of errors alone, which quote what the code worked on. */
export const QUOTED = "flotsam";

export const redaction: RedactionOptions = {
  personalData: true,
  patterns: [{ name: "customer", pattern: "CN-\\d{8}" }],
  functions: [{ name: "bird", redact: (text) => text.replaceAll("Kanarienvogel", "[bird]") }],
  tokens: { keys: [{ id: "k1", secret: "the secret of this test alone" }] },
};
