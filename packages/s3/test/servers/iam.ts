export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
export interface Policy {
  readonly Statement: readonly { readonly Action: readonly string[] }[];
}

/** For each action of a policy, a user who has all the others. */
export function usersWithoutEachAction(
  port: number,
  policy: Policy,
): Promise<{ readonly left: string; readonly credentials: Credentials }[]> {
  const actions = policy.Statement.flatMap(({ Action }) => Action);
  return Promise.all(
    actions.map(async (left) => {
      const without = policy.Statement.map((one) => ({ ...one, Action: one.Action.filter((action) => action !== left) }));
      const Statement = without.filter(({ Action }) => Action.length > 0);
      return { left, credentials: await userWithPolicy(port, { ...policy, Statement }) };
    }),
  );
}

/** A user of the emulator, made through IAM's query interface; permissions must not be enforced yet. */
export async function userWithPolicy(port: number, policy: object): Promise<Credentials> {
  const UserName = `user-${Math.random().toString(36).slice(2)}`;
  await iam(port, { Action: 'CreateUser', UserName });
  await iam(port, { Action: 'PutUserPolicy', UserName, PolicyName: 'p', PolicyDocument: JSON.stringify(policy) });
  const answer = await iam(port, { Action: 'CreateAccessKey', UserName });
  const field = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(answer)?.[1] ?? '';
  return { accessKeyId: field('AccessKeyId'), secretAccessKey: field('SecretAccessKey') };
}

async function iam(port: number, fields: Readonly<Record<string, string>>): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: new URLSearchParams({ ...fields, Version: '2010-05-08' }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${fields.Action}: ${answer.status} ${text}`);
  return text;
}

/** The first JSON block of a README that is a policy, with its placeholders filled in. */
export function policyIn(readme: string, replacements: Readonly<Record<string, string>>): Policy {
  const block = [...readme.matchAll(/```json\n([\s\S]*?)```/g)]
    .map(([, json]) => json ?? '')
    .find((json) => json.includes('"Statement"'));
  if (block === undefined) throw new Error('the README shows no policy');
  const filled = Object.entries(replacements).reduce((json, [from, to]) => json.replaceAll(from, to), block);
  return JSON.parse(filled);
}
