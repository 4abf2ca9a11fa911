import { expect, test } from 'vitest';
import { checkClient } from '../../src/exports/backend.js';

const kind = { methods: ['send', 'destroy'], client: 'a Client, such as new Client()', clientOptions: '{ region: "r" }' };
const client = { send() {}, destroy() {} };

test.each([
  [{ client, clientOptions: {} }, /client and clientOptions exclude each other/],
  [{ client: null }, /^client must be a Client, such as new Client\(\)\.$/],
  [{ client: 'redis://localhost' }, /^client must be a Client/],
  [{ client: { send() {} } }, /^client must be a Client/],
  [{ client: { ...client, send: 'now' } }, /^client must be a Client/],
  [{ clientOptions: null }, /^clientOptions must be an object, such as \{ region: "r" \}\.$/],
  [{ clientOptions: 'r' }, /^clientOptions must be an object/],
  [{ clientOptions: [] }, /^clientOptions must be an object/],
])('%o is refused', (options, advice) => {
  const check = () => checkClient(options, kind);
  expect(check).toThrow(advice);
  expect(check).toThrow(expect.objectContaining({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' }));
});

class Inherited {
  send(): void {}
  destroy(): void {}
}

test.each([{}, { client }, { client: new Inherited() }, { clientOptions: {} }, { client: undefined, clientOptions: undefined }])(
  '%o is taken',
  (options) => {
    expect(() => checkClient(options, kind)).not.toThrow();
  },
);
