import { describe, expect, it } from 'vitest';
import { classifyRefusal } from '../../src/entra/aadsts.js';
import { aadstsCodes, suberrors } from '../../src/entra/aadsts-codes.js';
import { TokenEndpointError } from '../../src/provider/token-endpoint-error.js';

const refused = (error: string, more: { suberror?: string; description?: string; status?: number; errorCode?: string } = {}) => {
  const { status = 400, suberror, description, errorCode } = more;
  const refusal = { error, status, errorCode, ...(suberror ? { suberror } : {}), ...(description ? { description } : {}) };
  return classifyRefusal(new TokenEndpointError(refusal));
};

describe('a refusal of Entra ID', () => {
  it.each([
    ['a loop is throttling, not a bad token', 'invalid_grant', { errorCode: '50196' }, 'throttled'],
    ['a throttled tenant', 'invalid_grant', { description: 'AADSTS90055: too many' }, 'throttled'],
    ['status 429 whatever it says', 'invalid_grant', { status: 429, suberror: 'bad_token' }, 'throttled'],
    ['a missing second factor', 'invalid_grant', { errorCode: '50076', suberror: 'basic_action' }, 'request-refused'],
    ['missing consent', 'invalid_grant', { errorCode: '65001', suberror: 'consent_required' }, 'request-refused'],
    ['an inactive refresh token', 'invalid_grant', { errorCode: '700082' }, 'token-refused'],
    ['revoked tokens', 'invalid_grant', { errorCode: '50173' }, 'token-refused'],
    ['sign-in frequency with a suberror', 'invalid_grant', { errorCode: '70043', suberror: 'token_expired' }, 'token-refused'],
    ['a bad token with a number nobody knows', 'invalid_grant', { errorCode: '123456', suberror: 'bad_token' }, 'token-refused'],
    ['a number nobody knows', 'invalid_grant', { errorCode: '123456' }, 'request-refused'],
    ['a suberror nobody knows', 'invalid_grant', { suberror: 'new_one' }, 'request-refused'],
    ['a bare invalid_grant', 'invalid_grant', {}, 'token-refused'],
    ['another application of the family', 'invalid_grant', { suberror: 'client_mismatch' }, 'request-refused'],
    ['interaction required', 'interaction_required', {}, 'request-refused'],
    ['a wrong secret: nothing about the refresh token', 'invalid_client', { errorCode: '7000215' }, 'request-refused'],
    ['a passing fault with a number', 'invalid_grant', { errorCode: '90033' }, 'transient'],
    ['a failing gateway', 'unknown_error', { status: 502 }, 'transient'],
    ['temporarily unavailable', 'temporarily_unavailable', { status: 503 }, 'transient'],
    ['names that are in every object', 'constructor', { suberror: 'toString' }, 'request-refused'],
  ])('%s', (_name, error, more, kind) => {
    expect(refused(error, more).kind).toBe(kind);
  });

  it('comes with what to do about it', () => {
    expect(refused('invalid_client', { errorCode: '7000215' }).hint).toContain("secret's id was copied instead of its value");
    expect(refused('unauthorized_client', { description: 'AADSTS50194: Application …' }).hint).toContain(
      '"common" does not work',
    );
    expect(refused('invalid_grant', { suberror: 'user_password_expired' }).hint).toContain('password has expired');
    expect(refused('something_new').hint).toBeUndefined();
  });

  it('is explained for the numbers developers meet, in whole sentences', () => {
    expect(Object.keys(aadstsCodes).length).toBeGreaterThanOrEqual(45);
    for (const { hint } of [...Object.values(aadstsCodes), ...Object.values(suberrors)]) {
      expect(hint).toMatch(/^[A-Z"].{15,}[.?]$/);
    }
  });
});
