/** `received_date_time` → `receivedDateTime`, as Microsoft Graph writes keys; keys without words to join stay as they are. */
export function camelCase(key: string): string {
  const joined = key.replace(/(?<=[\da-z])[_\-\s]+(\w)/gi, (_match, letter: string) => letter.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** `CaseTest` → `case_test`. */
export function snakeCase(key: string): string {
  return key
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[-\s]+/g, '_')
    .toLowerCase();
}
