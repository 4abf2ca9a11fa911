type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** `values` without the members that are undefined: what an optional member means under `exactOptionalPropertyTypes`. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
