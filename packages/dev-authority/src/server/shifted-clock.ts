/** A clock that can run ahead of, or behind, the real one. */
export interface ShiftedClock {
  advance(ms: number): void;
  /** Back to the real time. */
  reset(): void;
}

/**
 * Replaces `Date` in this thread by one that can be moved. oidc-provider reads the time through `Date.now()`, so that
 * everything it issues and checks follows. Timers are not touched.
 */
export function installShiftedClock(): ShiftedClock {
  const RealDate = Date;
  let offsetMs = 0;
  const now = () => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  return {
    advance(ms) {
      offsetMs += ms;
    },
    reset() {
      offsetMs = 0;
    },
  };
}
