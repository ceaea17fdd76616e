import { SpanloomError } from "@spanloom/model";

/** What one request may cost. Every limit answers with a problem document that names it. */
export interface Limits {
  /** Characters of the URL, query included. */
  urlLength: number;
  /** Bytes of a request body as they come over the network. */
  requestBytes: number;
  /** Bytes of a request body once unpacked. */
  unpackedBytes: number;
  /** Spans in one write. */
  spansPerRequest: number;
  /** Characters of each content in a `full` trace page; the whole is at the span's own route. */
  previewLength: number;
}

const DEFAULTS: Limits = {
  urlLength: 8_192,
  // A span with four contents of a million characters, three bytes each, must come through.
  requestBytes: 16 * 1024 * 1024,
  unpackedBytes: 32 * 1024 * 1024,
  spansPerRequest: 5_000,
  previewLength: 2_000,
};

/** The host's limits over the defaults. Throws `invalid_argument` for one that is no whole number above 0. */
export function readLimits(limits: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    throw new SpanloomError("invalid_argument", {
      what: `The limit ${name} cannot be ${value}.`,
      why: "A limit is a whole number above 0.",
      fix: "Correct it, or leave it out for the default.",
    });
  }
  return { ...DEFAULTS, ...limits };
}
