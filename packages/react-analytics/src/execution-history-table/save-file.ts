/** Hands text to the browser as a download. The mark at its beginning tells spreadsheets that it is UTF-8. */
export function saveFile(name: string, mediaType: string, text: string): void {
  const url = URL.createObjectURL(new Blob(["\uFEFF", text], { type: mediaType }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Browsers read the file after the click; a moment later nobody needs the address any more.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
