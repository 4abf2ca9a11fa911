/** What a script in a process of its own needs: its arguments and a line to the test. */
export const args = JSON.parse(process.argv[2] ?? '[]') as unknown[];
export const say = (message: object | string): void => void process.send?.(message);
export function onMessage<T>(listener: (message: T) => unknown): void {
  process.on('message', (message) => void listener(message as T));
}
/** Lets go of the test, which would otherwise keep this process alive. */
export const hangUp = (): void => process.disconnect?.();
