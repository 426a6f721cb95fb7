import { honoured, type Rules } from './dispositions.ts';
import type { ProxyProtocolModel } from './model.ts';
import { parseNetworks } from './networks.ts';
import { type OptionTable, type OptionValues, word } from './option-values.ts';
import type { Reading } from './reading.ts';
import type { LocatedText } from './source-text.ts';

const MODE = 'transport.proxyProtocol';
const TRUSTED = 'transport.proxyProtocolTrusted';

const RULES: Rules = {
  [MODE]: honoured(
    'says whether connections begin with a PROXY header, version 1 or 2 (not in ActiveMQ): off, which is so unless given; required, as behind a proxy that sends one; optional',
  ),
  [TRUSTED]: honoured(
    'lists the addresses and networks whose PROXY headers are believed, such as 10.0.0.0/8,::1 (not in ActiveMQ); another source that sends one is closed, and so is each that may not where one is required',
  ),
};

/** Options of any port about the PROXY protocol. */
export const PROXY_OPTIONS: OptionTable = {
  rules: RULES,
  values: { [MODE]: word('off', 'optional', 'required'), [TRUSTED]: parseNetworks },
};

/** null: connections begin with no PROXY header. */
export function readProxyOptions(options: OptionValues, uri: LocatedText, reading: Reading): ProxyProtocolModel | null {
  const mode = options.text('off', MODE);
  const trusted = options.networks(TRUSTED);
  if (mode !== 'optional' && mode !== 'required') {
    if (trusted !== null) reading.warn(uri.at(0), TRUSTED, `option ${TRUSTED} has no effect without ${MODE}=required or optional`);
    return null;
  }
  if (trusted === null) {
    reading.error(
      uri.at(0),
      MODE,
      `${MODE}=${mode} needs ${TRUSTED}: who sends a PROXY header may claim to be anybody, so list your proxies, such as 10.0.0.0/8,::1 (0.0.0.0/0,::/0 is everybody)`,
    );
    return null;
  }
  return { mode, trusted };
}
