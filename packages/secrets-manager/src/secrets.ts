import { isUtf8 } from 'node:buffer';
import { inTime } from '@tokenry/core/backend';
import type { Connected, Connection } from './connection.js';
import { mapError, type SdkError } from './map-error.js';
import type { ResolvedOptions } from './options.js';

export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}
/** What AWSCURRENT points to. */
export interface CurrentValue {
  readonly data: Uint8Array;
  readonly version: string;
  readonly createdAt: number | undefined;
}
/** A secret without its value. */
export interface SecretState {
  readonly isDeleted: boolean;
  readonly current: string | undefined;
}
/** A value to be stored under a version id of our own. */
export interface NewValue {
  readonly data: Uint8Array;
  readonly version: string;
}

/**
 * Where a value waits to become the current one. One label for everybody: the next writer takes it away from the last,
 * whose version is then without labels, and the service removes it. A label per writer would use up the quota of 20.
 */
const STAGE = 'TOKENRY_PENDING';
const PAGE = 100;

/** What the service says when a secret is not as the caller thinks: it looks how it is. */
const IN_THE_WAY = /^(ResourceExistsException|InvalidRequestException)$/;
const NOT_THERE = /^(ResourceNotFoundException|InvalidRequestException)$/;
const NOT_SO = /^(ResourceNotFoundException|InvalidRequestException|InvalidParameterException)$/;

/** The secrets of one account and region: one method per request, with errors that say what they mean. */
export class Secrets {
  readonly #connection: Connection;
  readonly #options: ResolvedOptions;

  constructor(connection: Connection, options: ResolvedOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** `undefined`: there is no such secret, or it has no value, or it was deleted. */
  async current(id: string, options: SignalOption): Promise<CurrentValue | undefined> {
    const found = await this.#request('GetSecretValue', id, options, async ({ sdk, client }, abort) => {
      try {
        // Without a stage some emulators answer an old value after a move.
        return await client.send(new sdk.GetSecretValueCommand({ SecretId: id, VersionStage: 'AWSCURRENT' }), abort);
      } catch (error) {
        if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
        if (isRefusal(error, 'InvalidRequestException') && (await this.state(id, options))?.isDeleted) return undefined;
        throw error;
      }
    });
    const { VersionId, SecretString, SecretBinary, CreatedDate } = found ?? {};
    if (VersionId === undefined) return undefined;
    const data = SecretString === undefined ? (SecretBinary ?? new Uint8Array()) : Buffer.from(SecretString);
    return { data, version: VersionId, createdAt: CreatedDate?.getTime() };
  }

  /** `undefined`: there is no such secret. */
  state(id: string, options: SignalOption): Promise<SecretState | undefined> {
    return this.#request('DescribeSecret', id, options, async ({ sdk, client }, abort) => {
      try {
        const { DeletedDate, VersionIdsToStages = {} } = await client.send(
          new sdk.DescribeSecretCommand({ SecretId: id }),
          abort,
        );
        const current = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'));
        return { isDeleted: DeletedDate !== undefined, current: current?.[0] };
      } catch (error) {
        if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    });
  }

  /** Makes the secret. `false`: something is in the way. */
  create(id: string, value: NewValue, options: SignalOption): Promise<boolean> {
    const { creation } = this.#options;
    return this.#unless(IN_THE_WAY, 'CreateSecret', id, options, ({ sdk, client }, abort) => {
      const { Tags, ...others } = creation;
      const input = { Name: id, ...inputFor(value), ...others, ...(Tags ? { Tags: [...Tags] } : {}) };
      return client.send(new sdk.CreateSecretCommand(input), abort);
    });
  }

  /** Stores a value that nobody sees yet. `false`: there is no secret for it, or it cannot be written. */
  stage(id: string, value: NewValue, options: SignalOption): Promise<boolean> {
    return this.#unless(NOT_THERE, 'PutSecretValue', id, options, ({ sdk, client }, abort) =>
      client.send(new sdk.PutSecretValueCommand({ SecretId: id, ...inputFor(value), VersionStages: [STAGE] }), abort),
    );
  }

  /** Makes a stored value the current one, if the expected one still is. `false`: refused, for whatever reason. */
  promote(id: string, version: string, expected: string | undefined, options: SignalOption): Promise<boolean> {
    const move = { SecretId: id, VersionStage: 'AWSCURRENT', MoveToVersionId: version };
    const input = expected === undefined ? move : { ...move, RemoveFromVersionId: expected };
    return this.#unless(NOT_SO, 'UpdateSecretVersionStage', id, options, ({ sdk, client }, abort) =>
      client.send(new sdk.UpdateSecretVersionStageCommand(input), abort),
    );
  }

  restore(id: string, options: SignalOption): Promise<boolean> {
    return this.#unless(NOT_SO, 'RestoreSecret', id, options, ({ sdk, client }, abort) =>
      client.send(new sdk.RestoreSecretCommand({ SecretId: id }), abort),
    );
  }

  /** Sent once, whatever the client would repeat. `false`: there is none, or somebody else has just deleted it. */
  delete(id: string, options: SignalOption): Promise<boolean> {
    return this.#unless(NOT_THERE, 'DeleteSecret', id, options, ({ sdk, client }, abort) => {
      const command = new sdk.DeleteSecretCommand({ SecretId: id, ...this.#options.deletion });
      let failed: { readonly error: unknown } | undefined;
      command.middlewareStack.add(
        (next) => async (args) => {
          if (failed) throw failed.error;
          try {
            return await next(args);
          } catch (error) {
            failed = { error };
            throw error;
          }
        },
        { step: 'finalizeRequest', priority: 'low', name: 'tokenrySendsOnce' },
      );
      return client.send(command, abort);
    });
  }

  /** The names of all secrets that begin with one of `beginnings`, a hundred per request. */
  async *names(beginnings: readonly string[], options: SignalOption): AsyncIterable<string> {
    let token: string | undefined;
    do {
      const page = await this.#request('ListSecrets', beginnings.join(', '), options, ({ sdk, client }, abort) => {
        const input = { Filters: [{ Key: 'name' as const, Values: [...beginnings] }], MaxResults: PAGE };
        return client.send(new sdk.ListSecretsCommand(token === undefined ? input : { ...input, NextToken: token }), abort);
      });
      for (const { Name, DeletedDate } of page.SecretList ?? []) if (Name !== undefined && DeletedDate === undefined) yield Name;
      token = page.NextToken;
    } while (token !== undefined);
  }

  #unless(
    refusals: RegExp,
    action: string,
    id: string,
    options: SignalOption,
    send: (connected: Connected, abort: { readonly abortSignal: AbortSignal }) => Promise<unknown>,
  ): Promise<boolean> {
    return this.#request(action, id, options, async (connected, abort) => {
      try {
        await send(connected, abort);
        return true;
      } catch (error) {
        if (error instanceof Error && refusals.test(error.name)) return false;
        throw error;
      }
    });
  }

  async #request<T>(
    action: string,
    id: string,
    { signal }: SignalOption,
    send: (connected: Connected, abort: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    try {
      const sending = async (abortSignal: AbortSignal) => send(await this.#connection.open(), { abortSignal });
      return await inTime(sending, { timeoutMs: this.#options.timeoutMs, signal });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw mapError(error, { doing: `${DOING[action] ?? 'use'} the secret "${id}"`, action: `secretsmanager:${action}` });
    }
  }
}

const DOING: Readonly<Record<string, string>> = {
  GetSecretValue: 'read',
  DescribeSecret: 'describe',
  CreateSecret: 'make',
  PutSecretValue: 'save',
  UpdateSecretVersionStage: 'save',
  RestoreSecret: 'restore',
  DeleteSecret: 'delete',
  ListSecrets: 'list',
};

const isRefusal = (error: unknown, name: string): boolean => (error as SdkError).name === name;

// Text where it is text: python-o365 and people read SecretString.
function inputFor({ data, version }: NewValue) {
  const value = isUtf8(data) ? { SecretString: Buffer.from(data).toString() } : { SecretBinary: data };
  return { ClientRequestToken: version, ...value };
}
