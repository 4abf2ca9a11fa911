import type { ConsentHandler } from './consent.js';
import { deviceCodeConsent } from './device-code-consent.js';
import { loopbackConsent } from './loopback-consent.js';

/** How people sign in when the program does not say: in the browser of this machine if it has one, else by device code. */
export function defaultConsent(): ConsentHandler {
  return hasTerminal() && hasBrowser() ? loopbackConsent() : deviceCodeConsent();
}

function hasTerminal(): boolean {
  return process.stdout.isTTY === true || process.stderr.isTTY === true;
}

/** A desktop is known by its display sockets: the environment is not read here. */
function hasBrowser(): boolean {
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { userInfo } = process.getBuiltinModule('node:os');
  return ['/tmp/.X11-unix/X0', `/run/user/${userInfo().uid}/wayland-0`, '/mnt/wslg'].some((path) => existsSync(path));
}
