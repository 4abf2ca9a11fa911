import { SaxesParser } from 'saxes';
import { AutodiscoverError } from '../errors.js';
import { XmlElement } from './element.js';

/** Far more than any Autodiscover answer needs, far less than would hurt. */
const MAX_DEPTH = 40;
const MAX_NODES = 20_000;

/**
 * Reads one XML document strictly: well-formed, namespaces bound, no DOCTYPE (so no entities of its own), bounded in depth
 * and number of nodes.
 * @throws AutodiscoverError `MALFORMED_RESPONSE`
 */
export function parseXml(text: string): XmlElement {
  const tree = new TreeBuilder();
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on('error', (error) => refuse(error.message));
  parser.on('doctype', () => refuse('a DOCTYPE is not allowed'));
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = Object.create(null);
    for (const attribute of Object.values(tag.attributes)) attributes[attribute.local] = attribute.value;
    tree.open(new XmlElement(tag.local, tag.uri, attributes));
  });
  parser.on('text', (chunk) => tree.text(chunk));
  parser.on('cdata', (chunk) => tree.text(chunk));
  parser.on('closetag', () => tree.close());
  // The parser would see it too; before it does, the internal subset has been read.
  if (/<!DOCTYPE/i.test(text)) refuse('a DOCTYPE is not allowed');
  parser.write(text.trim()).close();
  return tree.root;
}

class TreeBuilder {
  readonly #open: XmlElement[] = [];
  #root: XmlElement | undefined;
  #nodes = 0;

  get root(): XmlElement {
    return this.#root ?? refuse('the document is empty');
  }

  open(element: XmlElement): void {
    if (++this.#nodes > MAX_NODES) refuse('too many elements');
    if (this.#open.length >= MAX_DEPTH) refuse('elements are nested too deeply');
    this.#open.at(-1)?.append(element);
    this.#root ??= element;
    this.#open.push(element);
  }
  text(chunk: string): void {
    this.#open.at(-1)?.appendText(chunk);
  }
  close(): void {
    this.#open.pop();
  }
}

function refuse(why: string): never {
  // The parser quotes what it read: one line of it, without what could be a secret, is enough.
  const reason = why.split('\n')[0]?.slice(0, 120);
  throw new AutodiscoverError(`The answer is not well-formed XML: ${reason}.`, { code: 'MALFORMED_RESPONSE' });
}
