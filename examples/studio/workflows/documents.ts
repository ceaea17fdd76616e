import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface DocumentInfo {
  /** Path below `documents/`, with `/`. */
  id: string;
  title: string;
}

export interface SourceDocument extends DocumentInfo {
  format: string;
  text: string;
}

/** A document that a workflow cannot read: it says where, so that somebody can mend it. */
export class MalformedDocumentError extends Error {
  override readonly name = "MalformedDocumentError";
}

const folder = join(import.meta.dirname, "../documents");

export async function listDocuments(kind: string): Promise<DocumentInfo[]> {
  const names = await readdir(join(folder, kind));
  return names.sort().map((name) => ({ id: `${kind}/${name}`, title: titleOf(name) }));
}

/** Reads a document of the list. Rejects for any other path. */
export async function readDocument(id: string): Promise<SourceDocument> {
  const [kind = "", name = ""] = id.split("/");
  const known = await listDocuments(kind).catch(() => []);
  if (!known.some((document) => document.id === id)) throw new Error(`There is no document ${id}.`);
  const text = await readFile(join(folder, kind, name), "utf8");
  return { id, title: titleOf(name), format: name.split(".").at(-1) ?? "", text };
}

export async function readVendors(): Promise<string> {
  return readFile(join(folder, "vendors.csv"), "utf8");
}

function titleOf(name: string): string {
  const words = name.replace(/\.\w+$/, "").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
