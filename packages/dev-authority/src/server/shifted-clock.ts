/**
 * Replaces `Date` in this thread by one that can run ahead of, or behind, the real one. oidc-provider reads the time
 * through `Date.now()`, so that everything it issues and checks follows. Timers are not touched.
 * @returns moves the clock by so many milliseconds
 */
export function installShiftedClock(): (ms: number) => void {
  const RealDate = Date;
  let offsetMs = 0;
  const now = () => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  return (ms) => {
    offsetMs += ms;
  };
}
