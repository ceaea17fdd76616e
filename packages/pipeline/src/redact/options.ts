import type { CapturePolicy } from "./capture-policy.ts";
import type { RedactionFunction, RedactionPattern } from "./host-rules.ts";
import type { PersonalDataOptions } from "./personal-data.ts";
import type { TokenOptions } from "./tokens.ts";

/** What a host adds to the built-in rules for secrets, which always apply. */
export interface RedactionOptions {
  /** Keys whose values are secret. Case and separators do not matter: `customer_ssn` is also `customerSsn` and `user.customer-ssn`. */
  keys?: readonly string[];
  /** Shapes that are secret in any text. */
  patterns?: readonly RedactionPattern[];
  /** Rules in code. They see each text before every other rule. */
  functions?: readonly RedactionFunction[];
  /** Default: card numbers, IBANs and US social security numbers are taken out, e-mail addresses and phone numbers are not. */
  personalData?: PersonalDataOptions;
  /** How much of prompts, responses, arguments, results and state is kept. Default: all of it. */
  capture?: CapturePolicy;
  /**
   * Puts a stable token such as `[email:k1:9f3a5c0d21e47b86]` in each value's place, so that equal values of one scope can
   * still be told to be equal. Without it they become `[redacted:email]`.
   */
  tokens?: TokenOptions;
  limits?: RedactionLimits;
}

/** What cleaning may cost. What is beyond is never kept unread: it is cut or withheld, and the span says so. */
export interface RedactionLimits {
  /** A text is cut to this many UTF-16 code units. Default 1,048,576. */
  textCharacters?: number;
  /** Of all texts of one field together; later ones are withheld. Default 8,388,608. */
  fieldCharacters?: number;
  /** For one field, in milliseconds; the text in hand and later ones are withheld. Default 500. */
  fieldMs?: number;
}
