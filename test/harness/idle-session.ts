import type { Session } from '../../src/core/ports.ts';

/** What a session says of itself that has nothing to do. */
export const IDLE = {
  queued: 0,
  inflight: 0,
  heldBytes: 0,
  dropped: 0,
  acknowledgements: 0,
  isSlow: false,
  slowConsumerStrategies: null,
  removeExpired() {},
} as const satisfies Partial<Session>;
