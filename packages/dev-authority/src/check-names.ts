/** @throws TypeError when `value` is no object, or has a name that is not among `known` */
export function checkNames(what: string, value: object, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`A ${what} must be an object.`);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new TypeError(`Unknown name "${name}" in a ${what}. Known: ${known.join(', ')}.`);
  }
}
