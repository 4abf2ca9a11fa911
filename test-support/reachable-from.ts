import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Addresses of this machine, other than 127.0.0.1, at which somebody accepts connections to `port`. */
export async function reachableFrom(port: number): Promise<readonly string[]> {
  const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address));
  // On Linux the whole of 127/8 leads here, though only its first address is listed.
  const others = new Set([...addresses, '::1', ...(process.platform === 'linux' ? ['127.0.0.2'] : [])]);
  others.delete('127.0.0.1');
  const accepted = await Promise.all([...others].map(async (host) => ((await accepts(host, port)) ? [host] : [])));
  return accepted.flat();
}

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
