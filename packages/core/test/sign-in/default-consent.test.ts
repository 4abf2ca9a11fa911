import { describe, expect, it } from 'vitest';
import { defaultConsent } from '../../src/sign-in/default-consent.js';

describe('the default consent', () => {
  it('is a device code where nobody sits at a terminal', () => {
    expect(process.stdout.isTTY || process.stderr.isTTY).toBeFalsy();
    expect(defaultConsent().showDeviceCode).toBeTypeOf('function');
    expect(defaultConsent().listen).toBeUndefined();
  });
});
