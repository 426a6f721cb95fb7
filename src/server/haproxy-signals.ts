/** Where signals come from: `process`, or an emitter that stands for it. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface AwaitedSignals {
  /** The first wish to end: SIGUSR1 softly, SIGTERM and SIGINT at once. */
  readonly first: Promise<NodeJS.Signals>;
  /** The first wish to end at once, be it after a soft one. */
  readonly hard: Promise<NodeJS.Signals>;
  /** Gives all signals back. */
  ignore(): void;
}

/** Signals that HAProxy answers with a dump or a pause; here they must not end the process. */
const HARMLESS_SIGNALS = ['SIGHUP', 'SIGQUIT', 'SIGTTIN', 'SIGTTOU'] as const;

/** Takes over the signals that HAProxy knows. `onReload` is called at each SIGUSR2. */
export function listenToHAProxySignals(signals: SignalSource, onReload: () => void): AwaitedSignals {
  let onFirst: (signal: NodeJS.Signals) => void = () => {};
  let onHard: (signal: NodeJS.Signals) => void = () => {};
  const first = new Promise<NodeJS.Signals>((resolve) => {
    onFirst = resolve;
  });
  const hard = new Promise<NodeJS.Signals>((resolve) => {
    onHard = resolve;
  });
  const end = (signal: NodeJS.Signals): void => {
    onFirst(signal);
    onHard(signal);
  };
  const nothing = (): void => {};
  const listeners: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ['SIGUSR1', (signal) => onFirst(signal)],
    ['SIGTERM', end],
    ['SIGINT', end],
    ['SIGUSR2', onReload],
    ...HARMLESS_SIGNALS.map((signal): [NodeJS.Signals, () => void] => [signal, nothing]),
  ];
  for (const [signal, listener] of listeners) signals.on(signal, listener);
  return {
    first,
    hard,
    ignore() {
      for (const [signal, listener] of listeners) signals.off(signal, listener);
    },
  };
}
