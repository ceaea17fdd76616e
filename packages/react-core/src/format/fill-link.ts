/**
 * Fills `{name}` in a link template with URL-encoded values. `undefined` when a value is missing or the result is not
 * an http(s) address or a path of this site: a link that cannot work is not offered, and no template can run script.
 */
export function fillLink(
  template: string,
  values: Readonly<Record<string, string | number | undefined>>,
): string | undefined {
  let missing = false;
  const link = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) missing = true;
    // Half a surrogate pair has no URL encoding; the call would throw.
    return encodeURIComponent(String(value ?? "").replace(/[\uD800-\uDFFF]/gu, "\uFFFD"));
  });
  return missing || !/^(https?:\/\/|\/(?![/\\]))/i.test(link) ? undefined : link;
}
