/** Something whose version is worked out when somebody first asks: a program that only reads a token never compares one. */
export class LateVersion {
  #version: string | (() => string);

  constructor(version: string | (() => string)) {
    this.#version = version;
  }

  get version(): string {
    if (typeof this.#version === 'function') this.#version = this.#version();
    return this.#version;
  }
}
