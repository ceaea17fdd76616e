import { type Observability, useObservability } from "../context.ts";

/** Texts by key. `{name}` stands for a parameter; `key.one`, `key.few`, `key.other` are the plural forms of `key`. */
export type Catalogue = Readonly<Record<string, string>>;

type PluralForm = "zero" | "one" | "two" | "few" | "many" | "other";

/** The keys that `t` takes: plural forms count as the key that they are forms of. */
export type MessageKey<C extends Catalogue> = keyof C extends infer Key
  ? Key extends `${infer Base}.${PluralForm}`
    ? Base
    : Key & string
  : never;

export type MessageParams = Readonly<Record<string, string | number>>;
export type Translate<Key extends string = string> = (key: Key, params?: MessageParams) => string;

/** The texts of a package: its own defaults, with the host's over them. A plural form is chosen by `params.count`. */
export function useMessages<C extends Catalogue>(defaults: C): Translate<MessageKey<C>> {
  const context = useObservability();
  let byDefaults = translations.get(context);
  if (byDefaults === undefined) {
    byDefaults = new WeakMap();
    translations.set(context, byDefaults);
  }
  let translate = byDefaults.get(defaults);
  if (translate === undefined) {
    translate = translatorOf(defaults, context.messages, context.locale);
    byDefaults.set(defaults, translate);
  }
  return translate;
}

/** One for each provider and catalogue: a table asks for it in every row. */
const translations = new WeakMap<Observability, WeakMap<Catalogue, Translate>>();

/** The same outside React. */
export function createTranslate<C extends Catalogue>(
  defaults: C,
  overrides: Catalogue,
  locale: string | undefined,
): Translate<MessageKey<C>> {
  return translatorOf(defaults, overrides, locale);
}

function translatorOf(defaults: Catalogue, overrides: Catalogue, locale: string | undefined): Translate {
  const plural = new Intl.PluralRules(locale);
  const find = (key: string): string | undefined => overrides[key] ?? defaults[key];
  return (key, params = {}) => {
    const form = typeof params.count === "number" ? `${key}.${plural.select(params.count)}` : key;
    const text = find(form) ?? find(`${key}.other`) ?? find(key) ?? key;
    return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(params[name] ?? placeholder));
  };
}
