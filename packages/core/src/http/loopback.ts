/** Whether `url` names this machine: `localhost` and below, 127.0.0.0/8 or ::1. Its traffic never reaches a wire. */
export function isLoopback(url: URL): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}
