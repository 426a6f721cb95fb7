import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkDirections } from './link-directions.ts';
import { DEFAULT_LINK_SETTINGS, type LinkSettings } from './link-settings.ts';
import { formatNetworkProperties } from './network-properties.ts';

function connector(duplex: boolean | null, consumerTTL = 1): LinkSettings {
  return { ...DEFAULT_LINK_SETTINGS, duplex, consumerTTL };
}

test('a link carries both ways unless the one file that there is says duplex="false" in so many words', () => {
  const cases: [ours: LinkSettings | null, theirs: LinkSettings | null, out: boolean, into: boolean][] = [
    [connector(null), null, true, true],
    [connector(true), null, true, true],
    [connector(false), null, true, false],
    [null, connector(null), true, true],
    [null, connector(true), true, true],
    [null, connector(false), false, true],
    [connector(false), connector(false), true, true],
    [connector(false), connector(null), true, true],
  ];
  for (const [ours, theirs, out, into] of cases) {
    const directions = new LinkDirections(ours, theirs);
    assert.deepEqual([directions.out, directions.in], [out, into], `${ours?.duplex} ${theirs?.duplex}`);
  }
});

test('a connector of the other side that becomes known later opens its way', () => {
  const directions = new LinkDirections(connector(false), null);
  assert.equal(directions.in, false);
  directions.setTheirs(formatNetworkProperties(connector(false), 'them'));
  assert.equal(directions.in, true);
});

test('each way goes by the settings of the broker that forwards, where it has any', () => {
  const wish = (brokerPath: string[]) => ({ number: 1, filter: 'f', brokerPath, group: null, isDurable: false });
  const near = new LinkDirections(connector(null, 5), connector(null, 1));
  assert.equal(near.outSettings.consumerTTL, 5);
  assert.deepEqual([near.takes(wish([]), 'them'), near.takes(wish(['x']), 'them')], [true, false], 'they forward by theirs');
  const alone = new LinkDirections(connector(null, 2), null);
  assert.deepEqual([alone.takes(wish(['x']), 'them'), alone.takes(wish(['x', 'y']), 'them')], [true, false], 'they have only ours');
  assert.equal(alone.takes(wish(['them']), 'them'), false, 'their own wish');
  assert.equal(new LinkDirections(connector(false), null).takes(wish([]), 'them'), false, 'they do not forward');
});
