import { randomUUID } from 'node:crypto';

/** A message as the API lists it. */
export interface Message {
  readonly id: string;
  readonly subject: string;
  readonly receivedDateTime: string;
  readonly isRead: boolean;
  readonly [field: string]: unknown;
}

const SUBJECTS = ['Welcome', 'Minutes of Monday', 'Lunch?', 'Your invoice', 'Build is green'];
const MAX_MESSAGES = 1000;

/** Everybody's mail, made up when somebody first looks. */
export class Mailboxes {
  readonly #boxes = new Map<string, Message[]>();

  of(accountId: string): Message[] {
    const known = this.#boxes.get(accountId);
    if (known) return known;
    const box = SUBJECTS.map((subject, index) => ({
      id: `message-${index + 1}`,
      subject,
      receivedDateTime: new Date(Date.now() - index * 3_600_000).toISOString(),
      isRead: index > 1,
    }));
    this.#boxes.set(accountId, box);
    return box;
  }

  /** Puts a message on top. */
  add(accountId: string, fields: Record<string, unknown>): Message {
    const message = { subject: '', isRead: false, ...fields, id: randomUUID(), receivedDateTime: new Date().toISOString() };
    const box = this.of(accountId);
    box.unshift(message);
    box.splice(MAX_MESSAGES);
    return message;
  }
}
