import type { Stats } from '../../config/haproxy/model.ts';
import type { Balancer } from '../balancer.ts';
import type { Server } from '../server.ts';
import { escapeHtml, grouped, humanDuration } from './markup.ts';
import { observation, type ProxyRows, type Row, serverStatus, type Values } from './rows.ts';
import { STYLE } from './style.ts';

/** What the page tells of the program. */
export interface PageOptions {
  readonly version: string | null;
  /** Bits per second since the page was last looked at, and the share of time in which the process had nothing to do, in per cent. */
  readonly load: () => { bitsPerSecond: number; idlePercent: number };
}

export interface PageView {
  readonly hideDown: boolean;
  readonly refreshSeconds: number | null;
  /** Part of the names of the proxies to show; empty for all. */
  readonly search: string;
  /** An action was refused just now. */
  readonly denied: boolean;
}

/** The page at `stats uri`: HAProxy's columns under HAProxy's names, in a dress of our own. */
export function renderPage(proxies: readonly ProxyRows[], balancer: Balancer, stats: Stats, options: PageOptions, view: PageView): string {
  const shown = proxies.filter((proxy) => proxy.name.includes(view.search));
  const version = stats.hideVersion || options.version === null ? '' : ` version ${escapeHtml(options.version)}`;
  const node = stats.showNode === null ? '' : ` on ${escapeHtml(stats.showNode)}`;
  const description = stats.showDesc === null ? '' : `: ${escapeHtml(stats.showDesc)}`;
  return `<!DOCTYPE html>
<html lang="en"><head><title>Statistics Report for Roundhouse</title>
<link rel="icon" href="data:,">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>${STYLE}</style></head>
<body>
<header><h1>Roundhouse${version}</h1>
<h2>Statistics Report for pid ${process.pid}${node}${description}</h2></header>
${view.denied ? '<p class="notice" role="status">Action denied.</p>' : ''}
<section class="process">
<div><h3>General process information</h3>${processInformation(balancer, options)}</div>
${LEGEND}
${displayOptions(stats, view)}
<div><h3>External resources:</h3><ul>
<li><a href="https://docs.haproxy.org/2.6/management.html#9.1">Meaning of the columns</a></li>
<li><a href="https://docs.haproxy.org/2.6/configuration.html">Online manual</a></li>
</ul></div>
</section>
<main>
${shown.map((proxy) => proxyTable(proxy, stats, view)).join('\n')}
</main>
</body></html>
`;
}

function processInformation({ load, capacity, clock, startedAtMs, frontends }: Balancer, options: PageOptions): string {
  const { bitsPerSecond, idlePercent } = options.load();
  const uptimeS = Math.floor((clock.monotonicMs() - startedAtMs) / 1_000);
  const days = Math.floor(uptimeS / 86_400);
  const uptime = `${days}d ${Math.floor((uptimeS % 86_400) / 3_600)}h${two((uptimeS % 3_600) / 60)}m${two(uptimeS % 60)}s`;
  const sessions = frontends.reduce((sum, frontend) => sum + frontend.sessions.size, 0);
  return `<p>
<b>pid = </b> ${process.pid} (process #1, nbproc = 1, nbthread = 1)<br>
<b>uptime = </b> ${uptime}<br>
<b>system limits:</b> memmax = unlimited; ulimit-n = ${capacity.descriptors}<br>
<b>maxsock = </b> ${capacity.descriptors}; <b>maxconn = </b> ${load.maxconn}; <b>maxpipes = </b> 0<br>
current conns = ${load.connections.value}; current pipes = 0/0; conn rate = ${load.connectionRate.perSecond}/sec; bit rate = ${bitRate(bitsPerSecond)}<br>
waiting conns = ${load.waiting}/${load.waitingMax}<br>
Running tasks: 0/${sessions}; idle = ${Math.round(idlePercent)} %
</p>`;
}

const LEGEND = `<div><table class="lgd"><tbody>
<tr><td class="active_up"></td><td>active UP</td><td class="backup_up"></td><td>backup UP</td></tr>
<tr><td class="active_going_down"></td><td>active UP, going down</td><td class="backup_going_down"></td><td>backup UP, going down</td></tr>
<tr><td class="active_going_up"></td><td>active DOWN, going up</td><td class="backup_going_up"></td><td>backup DOWN, going up</td></tr>
<tr><td class="active_down"></td><td>active or backup DOWN</td><td class="active_no_check"></td><td>not checked</td></tr>
<tr><td class="maintain"></td><td colspan="3">active or backup DOWN for maintenance (MAINT)</td></tr>
<tr><td class="active_draining"></td><td colspan="3">active or backup SOFT STOPPED for maintenance</td></tr>
</tbody></table><small>Note: "NOLB"/"DRAIN" = UP with load-balancing disabled.</small></div>`;

function displayOptions(stats: Stats, view: PageView): string {
  const uri = escapeHtml(stats.uri);
  const up = view.hideDown ? ';up' : '';
  const still = view.refreshSeconds === null ? ';norefresh' : '';
  const search = view.search === '' ? '' : `?scope=${encodeURIComponent(view.search)}`;
  const link = (words: string, text: string): string => `<li><a href="${uri}${words}${search}">${text}</a></li>`;
  const refresh =
    stats.refreshSeconds === null
      ? ''
      : link(view.refreshSeconds === null ? up : `${up};norefresh`, view.refreshSeconds === null ? 'Enable refresh' : 'Disable refresh');
  return `<div><h3>Display option:</h3><ul>
<li><form method="GET" action="${uri}"><label>Scope : <input name="scope" size="8" maxlength="20" value="${escapeHtml(view.search)}"></label></form></li>
${link(view.hideDown ? still : `;up${still}`, view.hideDown ? 'Show all servers' : "Hide 'DOWN' servers")}
${refresh}
${link(`${up}${still}`, 'Refresh now')}
<li><a href="${uri};csv;norefresh">CSV export</a></li>
<li><a href="${uri};json;norefresh">JSON export</a> (<a href="${uri};json-schema">schema</a>)</li>
</ul></div>`;
}

const COLUMN_HEADS = `<thead><tr><th rowspan="2"></th><th colspan="3">Queue</th><th colspan="3">Session rate</th><th colspan="6">Sessions</th>\
<th colspan="2">Bytes</th><th colspan="2">Denied</th><th colspan="3">Errors</th><th colspan="2">Warnings</th><th colspan="9">Server</th></tr>
<tr><th>Cur</th><th>Max</th><th>Limit</th><th>Cur</th><th>Max</th><th>Limit</th><th>Cur</th><th>Max</th><th>Limit</th><th>Total</th><th>LbTot</th>\
<th>Last</th><th>In</th><th>Out</th><th>Req</th><th>Resp</th><th>Req</th><th>Conn</th><th>Resp</th><th>Retr</th><th>Redis</th><th>Status</th>\
<th>LastChk</th><th>Wght</th><th>Act</th><th>Bck</th><th>Chk</th><th>Dwn</th><th>Dwntme</th><th>Thrtle</th></tr></thead>`;

const CAPABILITIES = { frontend: 'frontend', backend: 'backend', listen: 'proxy' } as const;

function proxyTable(proxy: ProxyRows, stats: Stats, view: PageView): string {
  const name = escapeHtml(proxy.name);
  const about = `cap: ${CAPABILITIES[proxy.kind]}, mode: ${proxy.mode}, id: ${proxy.id}`;
  const servers = proxy.servers.filter(({ server }) => !view.hideDown || isServing(server));
  const rows = [
    proxy.frontend === null ? '' : frontendLine(proxy.frontend, name),
    ...servers.map(({ server, row }) => serverLine(server, row, name, stats)),
    proxy.backend === null ? '' : backendLine(proxy.backend, name),
  ];
  return `<section class="proxy"><h3><a id="${name}" href="#${name}" title="${about}">${name}</a></h3>
<div class="wide"><table>${COLUMN_HEADS}<tbody>
${rows.filter((row) => row !== '').join('\n')}
</tbody></table></div></section>`;
}

function isServing(server: Server): boolean {
  return !server.model.disabled && server.health.failure === null;
}

function frontendLine({ values: v }: Row, proxy: string): string {
  const requests =
    v.mode === 'http'
      ? `\nCum. HTTP requests: ${v.req_tot}\n- HTTP 1xx responses: ${v.hrsp_1xx}\n- HTTP 2xx responses: ${v.hrsp_2xx}` +
        `\n- HTTP 3xx responses: ${v.hrsp_3xx}\n- HTTP 4xx responses: ${v.hrsp_4xx}\n- HTTP 5xx responses: ${v.hrsp_5xx}` +
        `\n- other responses: ${v.hrsp_other}\nIntercepted requests: ${v.intercepted}`
      : '';
  const rate = (what: string, connections: unknown, sessions: unknown, perRequest: unknown): string =>
    `${what} connection rate: ${connections}/s\n${what} session rate: ${sessions}/s${v.mode === 'http' ? `\n${what} request rate: ${perRequest}/s` : ''}`;
  return line('frontend', proxy, 'Frontend', [
    ...empty(3),
    cell(v.rate, rate('Current', v.conn_rate, v.rate, v.req_rate)),
    cell(v.rate_max, rate('Max', v.conn_rate_max, v.rate_max, v.req_rate_max)),
    limit(v.rate_lim),
    cell(v.scur),
    cell(v.smax),
    limit(v.slim),
    cell(v.stot, `Cum. connections: ${v.conn_tot}\nCum. sessions: ${v.stot}${requests}`),
    ...empty(2),
    cell(v.bin),
    cell(v.bout, `Response bytes in: ${v.bout}`),
    cell(v.dreq),
    cell(v.dresp),
    cell(v.ereq),
    ...empty(4),
    text(v.status),
    ...empty(8),
  ]);
}

function serverLine(server: Server, { values: v }: Row, proxy: string, stats: Stats): string {
  const seen = observation(server);
  const checked = server.model.check;
  const name = escapeHtml(server.name);
  const title = `id: ${server.model.id}${stats.showLegends ? `, ${server.address}:${server.model.port}` : ''}`;
  const shownStatus = v.status === 'no check' ? 'no check' : `${humanDuration(Number(v.lastchg))} ${v.status}`;
  const connections =
    `Current active connections: ${v.used_conn_cur}\nCurrent used connections: ${v.used_conn_cur}\n` +
    `Estimated need of connections: ${v.need_conn_est}\nActive connections limit: ${v.slim ?? '-'}`;
  return line(
    serverClass(server),
    proxy,
    name,
    [
      cell(v.qcur),
      cell(v.qmax),
      limit(v.qlimit),
      cell(v.rate),
      cell(v.rate_max),
      ...empty(1),
      cell(v.scur, connections),
      cell(v.smax),
      limit(v.slim),
      cell(v.stot, `Cum. sessions: ${v.stot}\n${times(v)}`),
      cell(v.lbtot),
      last(v.lastsess),
      cell(v.bin),
      cell(v.bout),
      ...empty(1),
      cell(v.dresp),
      ...empty(1),
      cell(v.econ),
      cell(v.eresp, aborts(v)),
      cell(v.wretr),
      cell(v.wredis),
      text(shownStatus),
      text(
        server.model.disabled || seen === null ? '' : seen.code,
        seen === null ? '' : `${seen.description}, as clients' connections showed`,
      ),
      text(`${v.weight}/${v.uweight}`),
      text(server.model.backup ? '-' : 'Y'),
      text(server.model.backup ? 'Y' : '-'),
      checked ? cell(v.chkfail, 'Failed connections') : text(''),
      checked ? cell(v.chkdown) : text(''),
      checked ? text(humanDuration(Number(v.downtime))) : text(''),
      text(checked ? '-' : ''),
    ],
    title,
  );
}

function backendLine({ values: v }: Row, proxy: string): string {
  return line(
    'backend',
    proxy,
    'Backend',
    [
      cell(v.qcur),
      cell(v.qmax),
      ...empty(1),
      cell(v.rate),
      cell(v.rate_max),
      ...empty(1),
      cell(v.scur),
      cell(v.smax),
      limit(v.slim),
      cell(v.stot, `Cum. sessions: ${v.stot}\nNew connections: ${v.connect}\nReused connections: ${v.reuse} (0%)\n${times(v)}`),
      cell(v.lbtot),
      last(v.lastsess),
      cell(v.bin),
      cell(v.bout, `Response bytes in: ${v.bout}`),
      cell(v.dreq),
      cell(v.dresp),
      ...empty(1),
      cell(v.econ),
      cell(v.eresp, aborts(v)),
      cell(v.wretr),
      cell(v.wredis),
      text(`${humanDuration(Number(v.lastchg))} ${v.status}`),
      text(''),
      text(`${v.weight}/${v.uweight}`),
      cell(v.act),
      cell(v.bck),
      text(''),
      cell(v.chkdown),
      text(v.downtime === undefined ? '' : humanDuration(Number(v.downtime))),
      ...empty(1),
    ],
    'balancing: roundrobin',
  );
}

/** The colour of a server's line, as the legend explains it. */
function serverClass(server: Server): string {
  if (server.model.disabled) return 'maintain';
  const rank = server.model.backup ? 'backup' : 'active';
  if (server.weight === 0) return `${rank}_draining`;
  const status = serverStatus(server);
  if (status === 'no check') return server.health.failure === null ? `${rank}_no_check` : `${rank}_going_down`;
  if (status === 'UP') return `${rank}_up`;
  return server.health.trusted ? `${rank}_going_up` : `${rank}_down`;
}

function times(v: Values): string {
  return (
    `Max / Avg over last 1024 success. conn.\n- Queue time: ${v.qtime_max} / ${v.qtime} ms\n` +
    `- Connect time: ${v.ctime_max} / ${v.ctime} ms\n- Total time: ${v.ttime_max} / ${v.ttime} ms`
  );
}

function aborts(v: Values): string {
  return `Connection resets during transfers: ${v.cli_abrt} client, ${v.srv_abrt} server`;
}

function line(style: string, proxy: string, name: string, cells: readonly string[], title = ''): string {
  const anchor = `${proxy}/${name}`;
  const hint = title === '' ? '' : ` title="${escapeHtml(title)}"`;
  return `<tr class="${style}"><th scope="row"><a id="${anchor}" href="#${anchor}"${hint}>${name}</a></th>${cells.join('')}</tr>`;
}

/** A number; what the pointer shows over it, if anything, is underlined. */
function cell(value: string | number | undefined, title = ''): string {
  const shown = grouped(value ?? '');
  return title === '' ? `<td>${shown}</td>` : `<td><abbr title="${escapeHtml(title)}">${shown}</abbr></td>`;
}

function text(value: string | number | undefined, title = ''): string {
  const shown = escapeHtml(String(value ?? ''));
  return title === '' || shown === ''
    ? `<td class="ac">${shown}</td>`
    : `<td class="ac"><abbr title="${escapeHtml(title)}">${shown}</abbr></td>`;
}

function limit(value: string | number | undefined): string {
  return value === undefined || value === 0 ? '<td>-</td>' : `<td>${grouped(value)}</td>`;
}

function last(seconds: string | number | undefined): string {
  return `<td>${Number(seconds) < 0 ? '?' : humanDuration(Number(seconds))}</td>`;
}

function empty(number: number): string[] {
  return Array<string>(number).fill('<td class="empty"></td>');
}

function bitRate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e9) return `${(bitsPerSecond / 1e9).toFixed(3)} Gbps`;
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(3)} Mbps`;
  return `${(bitsPerSecond / 1e3).toFixed(3)} kbps`;
}

function two(n: number): string {
  return String(Math.floor(n)).padStart(2, '0');
}
