/** A server that tests need, which a machine may lack. */
export interface NeededServer {
  readonly name: string;
  /** What one types to get it. */
  readonly howToGet: string;
  /** Looks once. What is missing is said in one line; with `CI=true` it is an error, whenever somebody asks. */
  isHere(): boolean;
}

export function neededServer({
  works,
  ...named
}: Omit<NeededServer, 'isHere'> & { readonly works: () => boolean }): NeededServer {
  let here: boolean | undefined;
  const line = `${named.name} is missing: ${named.howToGet}`;
  return {
    ...named,
    isHere() {
      const looked = here !== undefined;
      here ??= works();
      if (!here && process.env.CI === 'true') throw new Error(line);
      if (!here && !looked) console.warn(`Skipped: ${line}`);
      return here;
    },
  };
}
