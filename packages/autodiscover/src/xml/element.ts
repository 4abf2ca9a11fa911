/** One element, found by local name and without regard to case: servers differ in both prefix and case. */
export class XmlElement {
  readonly local: string;
  readonly uri: string;
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #children: XmlElement[] = [];
  #text = '';

  constructor(local: string, uri: string, attributes: Readonly<Record<string, string>>) {
    this.local = local;
    this.uri = uri;
    this.#attributes = attributes;
  }

  append(child: XmlElement): void {
    this.#children.push(child);
  }
  appendText(text: string): void {
    this.#text += text;
  }

  get children(): readonly XmlElement[] {
    return this.#children;
  }
  /** Own text, without blanks around it. */
  get text(): string {
    return this.#text.trim();
  }
  attribute(local: string): string | undefined {
    return this.#attributes[local];
  }
  /** `xsi:nil="true"`. */
  get isNil(): boolean {
    return this.#attributes.nil === 'true' || this.#attributes.nil === '1';
  }

  /** The first child of that name. */
  child(local: string): XmlElement | undefined {
    const wanted = local.toLowerCase();
    return this.#children.find((child) => child.local.toLowerCase() === wanted);
  }
  all(local: string): readonly XmlElement[] {
    const wanted = local.toLowerCase();
    return this.#children.filter((child) => child.local.toLowerCase() === wanted);
  }
  /** The first descendant along `path`. */
  at(...path: readonly string[]): XmlElement | undefined {
    return path.reduce<XmlElement | undefined>((found, local) => found?.child(local), this);
  }
  /** Text of the first child of that name; `undefined` when it is absent, nil or empty. */
  textOf(local: string): string | undefined {
    const child = this.child(local);
    return child === undefined || child.isNil || child.text === '' ? undefined : child.text;
  }
}
