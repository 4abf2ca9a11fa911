import { Account } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';

const [tokenPath, clientId, tenantId] = process.argv.slice(2);
const account = new Account([clientId], { tokenBackend: new FileSystemTokenBackend({ tokenPath }), tenantId, scopes: 'basic' });
const { token } = await account.getAccessToken();
if (!token.startsWith('at-TEST-')) process.exit(1);
