let loaded: typeof import('node:crypto') | undefined;

/** node:crypto, loaded when it is first needed: that takes longer than reading a valid token does, which needs none of it. */
export function nodeCrypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}
