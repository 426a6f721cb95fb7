import { readHead } from './read-head.ts';
import type { Stage } from './stage.ts';

/** Bytes after which it must be clear what a client speaks. */
const SNIFFED_BYTES_MAX = 64;

/** How many first bytes a message shows. */
const SHOWN_BYTES = 16;

/** A protocol, as far as it must be known here: by its name and its first bytes. */
export interface Sniffer {
  readonly name: string;
  /** Whether a client whose first bytes are `bytes[start, end)`, one at least, speaks it; `maybe`: more of them will show. */
  sniff(bytes: Buffer, start: number, end: number): 'yes' | 'no' | 'maybe';
}

/** The stage of an `auto` connector, which finds out which of several protocols a client speaks. */
export function createAutodetectStage(sniffers: readonly Sniffer[]): Stage {
  return {
    name: 'auto',
    begin(arrival, outcome) {
      readHead(arrival, (bytes) => {
        const answers = sniffers.map((sniffer) => sniffer.sniff(bytes, 0, bytes.length));
        const found = answers.indexOf('yes');
        if (found >= 0) {
          outcome.done({ ...arrival, head: bytes, protocol: sniffers[found]!.name });
          return true;
        }
        if (answers.includes('maybe') && bytes.length < SNIFFED_BYTES_MAX) return false;
        const names = sniffers.map(({ name }) => name).join(' nor ');
        outcome.failed(`the first bytes are neither ${names}: ${bytes.toString('hex', 0, SHOWN_BYTES)}`);
        arrival.socket.destroy();
        return true;
      });
    },
  };
}
