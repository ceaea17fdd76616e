import { SpanloomError } from "@spanloom/model";
import { FlattenedEncrypt, type FlattenedJWE, flattenedDecrypt, type JWEHeaderParameters } from "jose";

/** The host's keys. Old ones stay as long as there is something that they encrypted. */
export interface VaultKeys {
  /** The id of the key that encrypts from now on. */
  current: string;
  /** Each key's 32 bytes by its id, from the host's secret store. */
  all: Readonly<Record<string, Uint8Array>>;
}

/** What stands in a blob: a JWE (RFC 7516) without what it is bound to, and the version of this form. */
interface Envelope extends Omit<FlattenedJWE, "aad"> {
  v: 1;
}

const ALGORITHMS = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };

/** Throws `invalid_argument` for keys that cannot encrypt; says nothing of the keys themselves. */
export function checkKeys({ current, all }: VaultKeys): void {
  const usable = Object.values(all).every((key) => key instanceof Uint8Array && key.byteLength === 32);
  if (usable && Object.hasOwn(all, current)) return;
  throw new SpanloomError("invalid_argument", {
    what: "The keys of the vault cannot be used.",
    why: usable ? "The current key is not among them." : "Each key must be 32 bytes.",
    fix: 'Give { current: "k1", all: { k1: <32 random bytes> } }.',
  });
}

/**
 * Encrypts with AES-256-GCM under the current key, with a random nonce of 96 bits. `boundTo` is authenticated and not
 * kept: at another place the blob does not decrypt.
 */
export async function seal(text: string, boundTo: readonly string[], keys: VaultKeys): Promise<Uint8Array> {
  const { aad: _, ...jwe } = await new FlattenedEncrypt(encoder.encode(text))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: keys.current })
    .setAdditionalAuthenticatedData(binding(boundTo))
    .encrypt(keyOf(keys.current, keys));
  const envelope: Envelope = { v: 1, ...jwe };
  return encoder.encode(JSON.stringify(envelope));
}

/** Rejects with `vault_failed` when the key is not there or not the same, or when the blob was changed or moved. */
export async function open(blob: Uint8Array, boundTo: readonly string[], keys: VaultKeys): Promise<string> {
  const { v, ...jwe } = readEnvelope(blob);
  if (v !== 1)
    throw failed("It is of a version that this code does not know.", "Read it with a later version.");
  let missing: string | undefined;
  try {
    const aad = Buffer.from(binding(boundTo)).toString("base64url");
    const opened = await flattenedDecrypt(
      { ...jwe, aad },
      (header?: JWEHeaderParameters) => {
        const kid = header?.kid ?? "";
        if (!Object.hasOwn(keys.all, kid)) missing = kid;
        return keyOf(kid, keys);
      },
      ALGORITHMS,
    );
    return new TextDecoder().decode(opened.plaintext);
  } catch {
    // What a library says of it is not passed on: it is no place for content.
    if (missing === undefined)
      throw failed(
        "The key of that id is another one than it was written with, or the blob was changed or moved.",
        "Look for the right key, or for who writes to the vault's blobs.",
      );
    throw failed(
      `The key ${JSON.stringify(missing.slice(0, 60))} is not among the keys of the vault.`,
      "Give the vault that key beside the current one.",
    );
  }
}

const encoder = new TextEncoder();

/** JSON of a list: no two lists of texts have the same. */
function binding(boundTo: readonly string[]): Uint8Array {
  return encoder.encode(JSON.stringify(["spanloom-vault", 1, ...boundTo]));
}

function keyOf(id: string, { all }: VaultKeys): Uint8Array {
  return (Object.hasOwn(all, id) ? all[id] : undefined) ?? new Uint8Array();
}

function readEnvelope(blob: Uint8Array): Envelope {
  try {
    const envelope: unknown = JSON.parse(new TextDecoder().decode(blob));
    if (typeof envelope === "object" && envelope !== null && "v" in envelope) return envelope as Envelope;
  } catch {
    // The same as one without a version.
  }
  throw failed("The blob is no envelope of the vault.", "Look for who writes to the vault's blobs.");
}

function failed(why: string, fix: string): SpanloomError {
  return new SpanloomError("vault_failed", { what: "Raw content could not be decrypted.", why, fix });
}
