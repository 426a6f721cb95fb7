import { BlockList } from 'node:net';
import type { NetworkModel, TransportConnectorModel } from '../config/activemq/model.ts';
import { createAutodetectStage, type Sniffer } from '../transport/autodetect.ts';
import { createProxyStage } from '../transport/proxy-stage.ts';
import type { Stage } from '../transport/stage.ts';
import { WebSocketStage } from '../transport/websocket-stage.ts';
import type { TlsRenewal } from './tls-renewal.ts';

/**
 * What the connections of a connector go through before their protocol, in the order that `Stage` has.
 *
 * @param sniffers what may be spoken, where that is to be found out
 * @param renewal  null: no connector has TLS
 */
export function stagesOf(
  { proxyProtocol, tls, webSocket, maxFrameSize, detection }: TransportConnectorModel,
  sniffers: readonly Sniffer[],
  renewal: TlsRenewal | null,
): Stage[] {
  const stages: Stage[] = [];
  if (proxyProtocol !== null) stages.push(createProxyStage(proxyProtocol.mode, blockListOf(proxyProtocol.trusted)));
  if (tls !== null) stages.push(renewal!.createStage(tls));
  if (webSocket) stages.push(new WebSocketStage(maxFrameSize));
  if (detection !== null) stages.push(createAutodetectStage(sniffers));
  return stages;
}

function blockListOf(networks: readonly NetworkModel[]): BlockList {
  const list = new BlockList();
  for (const { address, prefixLength, version } of networks) list.addSubnet(address, prefixLength, `ipv${version}`);
  return list;
}
