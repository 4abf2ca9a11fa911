import { setTimeout as sleep } from 'node:timers/promises';
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';

export const TENANT = '11111111-2222-3333-4444-555555555555';
export const CLIENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
export const AUTHORITY = `https://login.microsoftonline.com/${TENANT}`;
export const SCOPES = ['User.Read'];

export const uidOf = (user: number) => `00000000-0000-4000-8000-${String(user).padStart(12, '0')}`;
export const homeOf = (user: number) => `${uidOf(user)}.${TENANT}`;
export const nameOf = (user: number) => `user${user}@contoso.example`;
export const refreshToken = (user: number, generation: number) => `rt-TEST-${user}-${generation}-x`;
export const accountOf = (user: number) => ({
  homeAccountId: homeOf(user),
  environment: 'login.windows.net',
  tenantId: TENANT,
  username: nameOf(user),
  localAccountId: uidOf(user),
});

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function idTokenOf(user: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: CLIENT, iss: `${AUTHORITY}/v2.0`, iat: now, exp: now + 3600, name: `User ${user}`, oid: uidOf(user) };
  return `${encoded({ alg: 'none' })}.${encoded({ ...claims, preferred_username: nameOf(user), sub: `sub${user}`, tid: TENANT, ver: '2.0' })}.x`;
}

interface Question {
  readonly grantType: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A token endpoint in place of the network. Users are named by the digits in user name, code or refresh token. */
export class StubNetwork implements INetworkModule {
  readonly questions: Question[] = [];
  readonly #generations = new Map<number, number>();
  readonly #delayMs: () => number;
  /** Answers before the stub does. */
  answer: ((question: Question) => object | undefined) | undefined;
  /** Nothing is answered before this. */
  until: Promise<void> | undefined;

  constructor(options: { readonly delayMs?: () => number; readonly oneTime?: boolean } = {}) {
    this.#delayMs = options.delayMs ?? (() => 0);
    if (options.oneTime) this.answer = (question) => this.#refuseSpent(question);
  }

  async sendGetRequestAsync<T>(url: string): Promise<NetworkResponse<T>> {
    throw new Error(`no GET expected: ${url}`);
  }

  async sendPostRequestAsync<T>(_url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const parameters = Object.fromEntries(new URLSearchParams(options?.body ?? ''));
    const question = { grantType: parameters.grant_type ?? '', parameters };
    this.questions.push(question);
    const delay = this.#delayMs();
    if (delay > 0) await sleep(delay);
    await this.until;
    const body = this.answer?.(question) ?? this.#tokens(question);
    return { status: 'error' in body ? 400 : 200, headers: {}, body: body as T };
  }

  refreshes(): number {
    return this.questions.filter(({ grantType }) => grantType === 'refresh_token').length;
  }

  #tokens({ grantType, parameters }: Question): object {
    if (grantType === 'client_credentials') return { token_type: 'Bearer', expires_in: 3600, access_token: 'at-TEST-app' };
    const who = parameters.username ?? parameters.code ?? parameters.refresh_token ?? parameters.assertion ?? '';
    const user = Number(who.match(/\d+/)?.[0]);
    const generation = grantType === 'refresh_token' ? (this.#generations.get(user) ?? 0) + 1 : 0;
    return this.tokensFor(user, generation);
  }

  tokensFor(user: number, generation: number): object {
    this.#generations.set(user, generation);
    return {
      token_type: 'Bearer',
      scope: 'User.Read openid profile offline_access',
      expires_in: 3600,
      access_token: `at-TEST-${user}-${generation}`,
      refresh_token: refreshToken(user, generation),
      id_token: idTokenOf(user),
      client_info: encoded({ uid: uidOf(user), utid: TENANT }),
    };
  }

  #refuseSpent({ grantType, parameters }: Question): object | undefined {
    if (grantType !== 'refresh_token') return undefined;
    const [, user, generation] = parameters.refresh_token?.match(/(\d+)-(\d+)/) ?? [];
    if ((this.#generations.get(Number(user)) ?? 0) === Number(generation)) return undefined;
    return { error: 'invalid_grant', error_description: 'AADSTS70000: spent', error_codes: [70000] };
  }
}

/** A record of `count` users as msal-node 7 writes it. */
export function recordOf(count: number, { expired = false } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const record: Record<string, Record<string, object>> = {
    Account: {},
    IdToken: {},
    AccessToken: {},
    RefreshToken: {},
    AppMetadata: {},
  };
  for (let user = 0; user < count; user++) {
    const owner = { home_account_id: homeOf(user), environment: 'login.windows.net' };
    const prefix = `${homeOf(user)}-login.windows.net`;
    const credential = (credential_type: string, secret: string) => ({ ...owner, credential_type, client_id: CLIENT, secret });
    const put = (section: string, key: string, entity: object) => Object.assign(record[section] ?? {}, { [key]: entity });
    const profile = {
      tenantId: TENANT,
      localAccountId: uidOf(user),
      name: `User ${user}`,
      username: nameOf(user),
      isHomeTenant: true,
    };
    put('Account', `${prefix}-${TENANT}`, {
      ...owner,
      realm: TENANT,
      local_account_id: uidOf(user),
      username: nameOf(user),
      authority_type: 'MSSTS',
      name: `User ${user}`,
      tenantProfiles: [JSON.stringify(profile)],
    });
    put('IdToken', `${prefix}-idtoken-${CLIENT}-${TENANT}--`, { ...credential('IdToken', idTokenOf(user)), realm: TENANT });
    put('AccessToken', `${prefix}-accesstoken-${CLIENT}-${TENANT}-user.read openid profile-`, {
      ...credential('AccessToken', `at-TEST-${user}-stored`),
      realm: TENANT,
      target: 'User.Read openid profile',
      cached_at: String(now - 10),
      expires_on: String(expired ? now - 5 : now + 80_000),
      extended_expires_on: String(now + 80_000),
      token_type: 'Bearer',
    });
    put('RefreshToken', `${prefix}-refreshtoken-${CLIENT}---`, credential('RefreshToken', refreshToken(user, 0)));
  }
  return JSON.stringify(record);
}
