/** Encrypts records on their way into a store. Bytes both ways, sync or async. */
export interface CryptographyManager {
  /** `tokenKey` binds the ciphertext to its record: moved under another key it must not open. */
  encrypt(data: Uint8Array, context: { readonly tokenKey: string }): Uint8Array | Promise<Uint8Array>;
  /** @throws DecryptError with its reason. */
  decrypt(data: Uint8Array, context: { readonly tokenKey: string }): Uint8Array | Promise<Uint8Array>;
}
