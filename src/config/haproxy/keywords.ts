/**
 * Every keyword of HAProxy 2.6 and what becomes of it here. The reader decides by this table, and docs/reference/haproxy-cfg.md is made of it.
 *
 * - `supported` works as HAProxy's manual says.
 * - `inert`     is accepted with a warning: leaving it out changes nothing that a client or a server could rely on.
 * - `refused`   is known and not supported: leaving it out would change who gets in, where traffic goes or what is on the wire,
 *               so the file is refused at that line.
 * - `removed`   is refused by HAProxy 2.6 itself.
 *
 * The order within a list is the order in which HAProxy looks for a word like a misspelt one.
 */
export type Support = 'supported' | 'inert' | 'refused' | 'removed';

export interface Keyword {
  readonly name: string;
  readonly support: Support;
  /** Completes "has no effect here: ..." or "is not supported yet: ...", or explains what is supported. */
  readonly note: string;
  /** Words that the keyword takes after itself on a `bind` or `server` line; -1: the rest of the line. */
  readonly skip: number;
}

export type KeywordTable = ReadonlyMap<string, Keyword>;

/** Reads lines of `name [+words] support note`. */
function table(text: string): KeywordTable {
  const keywords = new Map<string, Keyword>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\S+)\s+(?:\+(-?\d+)\s+)?(supported|inert|refused|removed)(?:\s+(.*))?$/.exec(line);
    if (!match) continue;
    const [, name = '', skip = '0', support = '', note = ''] = match;
    keywords.set(name, { name, support: support as Support, note, skip: Number(skip) });
  }
  return keywords;
}

const CHECKS = 'health checks are not made yet; a server that refuses a connection is passed over at once';
const HTTP = 'proxies carry TCP, and `mode http` serves statistics only';
const TLS = 'there is no TLS yet, and a line that asks for it is refused';
const NO_TLS_TO_CLIENTS = 'clients would be served without TLS';
const NO_TLS_TO_SERVER = 'the server would be spoken to without TLS';
const TLS_DEFAULTS = 'sets defaults for TLS, and a line that asks for TLS is refused';
const STICKY = 'every connection would go to the next server instead of the one it belongs to';
const SPREAD = 'connections would be spread otherwise than the file says';
const TUNING = 'tunes the inside of HAProxy';
const LUA = 'there is no Lua here';

/** Section `global`. */
export const GLOBAL_KEYWORDS: KeywordTable = table(`
  ca-base inert ${TLS_DEFAULTS}
  crt-base inert ${TLS_DEFAULTS}
  issuers-chain-path inert ${TLS_DEFAULTS}
  maxsslconn inert ${TLS_DEFAULTS}
  ssl-default-bind-options inert ${TLS_DEFAULTS}
  ssl-default-server-options inert ${TLS_DEFAULTS}
  ssl-dh-param-file inert ${TLS_DEFAULTS}
  ssl-mode-async inert ${TLS_DEFAULTS}
  ssl-propquery inert ${TLS_DEFAULTS}
  ssl-provider inert ${TLS_DEFAULTS}
  ssl-provider-path inert ${TLS_DEFAULTS}
  ssl-skip-self-issued-ca inert ${TLS_DEFAULTS}
  tune.ssl.cachesize inert ${TLS_DEFAULTS}
  tune.ssl.default-dh-param inert ${TLS_DEFAULTS}
  tune.ssl.force-private-cache inert ${TLS_DEFAULTS}
  tune.ssl.lifetime inert ${TLS_DEFAULTS}
  tune.ssl.maxrecord inert ${TLS_DEFAULTS}
  tune.ssl.hard-maxrecord inert ${TLS_DEFAULTS}
  tune.ssl.ssl-ctx-cache-size inert ${TLS_DEFAULTS}
  tune.ssl.capture-cipherlist-size inert ${TLS_DEFAULTS}
  tune.ssl.capture-buffer-size inert ${TLS_DEFAULTS}
  tune.ssl.keylog inert ${TLS_DEFAULTS}
  ssl-default-bind-ciphers inert ${TLS_DEFAULTS}
  ssl-default-server-ciphers inert ${TLS_DEFAULTS}
  ssl-default-bind-curves inert ${TLS_DEFAULTS}
  ssl-default-bind-ciphersuites inert ${TLS_DEFAULTS}
  ssl-default-server-ciphersuites inert ${TLS_DEFAULTS}
  ssl-load-extra-files inert ${TLS_DEFAULTS}
  ssl-load-extra-del-ext inert ${TLS_DEFAULTS}
  lua-prepend-path inert ${LUA}
  lua-load refused ${LUA}, and what the script adds cannot be known
  lua-load-per-thread refused ${LUA}, and what the script adds cannot be known
  tune.lua.session-timeout inert ${LUA}
  tune.lua.task-timeout inert ${LUA}
  tune.lua.service-timeout inert ${LUA}
  tune.lua.forced-yield inert ${LUA}
  tune.lua.maxmem inert ${LUA}
  tune.h2.header-table-size inert ${HTTP}
  tune.h2.initial-window-size inert ${HTTP}
  tune.h2.max-concurrent-streams inert ${HTTP}
  tune.h2.max-frame-size inert ${HTTP}
  h1-accept-payload-with-any-method inert ${HTTP}
  h1-case-adjust inert ${HTTP}
  h1-case-adjust-file inert ${HTTP}
  tune.idle-pool.shared inert ${TUNING}
  tune.pool-high-fd-ratio inert ${TUNING}
  tune.pool-low-fd-ratio inert ${TUNING}
  default-path inert the files that its paths would lead to are not read here
  tune.peers.max-updates-at-once inert there are no stick tables to replicate yet
  stats inert the runtime socket is not there yet, so nobody can reach it either
  pp2-never-send-local inert ${CHECKS}
  grace inert a soft stop begins at once
  hard-stop-after supported the longest time that a soft stop waits for sessions to end
  close-spread-time inert HAProxy spreads only HTTP connections
  httpclient.resolvers.id inert there is no HTTP client here
  httpclient.resolvers.prefer inert there is no HTTP client here
  httpclient.ssl.verify inert there is no HTTP client here
  httpclient.ssl.ca-file inert there is no HTTP client here
  tune.listener.multi-queue inert ${TUNING}
  set-var inert no rule can read variables yet
  set-var-fmt inert no rule can read variables yet
  tune.vars.global-max-size inert ${TUNING}
  tune.vars.proc-max-size inert ${TUNING}
  tune.vars.sess-max-size inert ${TUNING}
  tune.vars.txn-max-size inert ${TUNING}
  tune.vars.reqres-max-size inert ${TUNING}
  tune.vars.check-max-size inert ${TUNING}
  tune.sched.low-latency inert ${TUNING}
  tune.fail-alloc inert ${TUNING}
  no-memory-trimming inert ${TUNING}
  mworker-max-reloads inert there is one process, without a master
  tune.fd.edge-triggered inert ${TUNING}
  profiling.tasks inert ${TUNING}
  nbthread inert one thread serves all connections
  thread-group inert one thread serves all connections
  thread-groups inert one thread serves all connections
  global supported begins the section
  daemon supported only for \`roundhouse haproxy\`; the other commands stay in the foreground
  master-worker inert there is one process, without a master
  noepoll inert ${TUNING}
  nokqueue inert ${TUNING}
  noevports inert ${TUNING}
  nopoll inert ${TUNING}
  busy-polling inert ${TUNING}
  set-dumpable inert core dumps are as the system sets them
  insecure-fork-wanted inert nothing is forked
  insecure-setuid-wanted inert no set-user-id program is run
  nosplice inert ${TUNING}
  nogetaddrinfo inert names are resolved by getaddrinfo()
  noreuseport inert listeners never use SO_REUSEPORT
  quiet supported nothing is said after this line, as with \`-q\`
  zero-warning supported as \`-dW\`
  tune.runqueue-depth inert ${TUNING}
  tune.maxpollevents inert ${TUNING}
  tune.maxaccept inert ${TUNING}
  tune.recv_enough inert ${TUNING}
  tune.buffers.limit inert ${TUNING}
  tune.buffers.reserve inert ${TUNING}
  tune.bufsize inert ${TUNING}
  tune.maxrewrite inert ${HTTP}
  tune.idletimer inert ${TUNING}
  tune.rcvbuf.client inert socket buffers are as the system sizes them
  tune.rcvbuf.server inert socket buffers are as the system sizes them
  tune.sndbuf.client inert socket buffers are as the system sizes them
  tune.sndbuf.server inert socket buffers are as the system sizes them
  tune.pipesize inert ${TUNING}
  tune.http.cookielen inert ${HTTP}
  tune.http.logurilen inert ${HTTP}
  tune.http.maxhdr inert ${HTTP}
  tune.comp.maxlevel inert ${HTTP}
  tune.pattern.cache-size inert ${TUNING}
  uid supported taken on once the ports are open
  gid supported taken on once the ports are open
  external-check inert ${CHECKS}
  user supported taken on once the ports are open
  group supported taken on once the ports are open
  nbproc removed
  maxconn supported connections of the whole process; 2 descriptors each, and about 30 more
  ssl-server-verify inert ${TLS_DEFAULTS}
  maxconnrate refused more connections a second than the file allows would be accepted
  maxsessrate refused more sessions a second than the file allows would be accepted
  maxsslrate inert ${TLS_DEFAULTS}
  maxcomprate inert ${HTTP}
  maxpipes inert ${TUNING}
  maxzlibmem inert ${HTTP}
  maxcompcpuusage inert ${HTTP}
  ulimit-n inert the limit on open files is as the system sets it
  chroot inert Node.js cannot change its root; use the container or service manager for that
  description supported shown by \`stats show-desc\`
  node supported shown by \`stats show-node\`
  pidfile supported for \`roundhouse haproxy\` in the background
  unix-bind inert only its defaults for unix sockets, see \`bind\`
  log supported to UDP, unix datagram sockets, stdout, stderr and descriptors
  log-send-hostname supported makes rfc3164 the default format; a name of one's own is not used
  server-state-base inert server states are not kept across restarts
  server-state-file inert server states are not kept across restarts
  log-tag supported
  spread-checks inert ${CHECKS}
  max-spread-checks inert ${CHECKS}
  cpu-map inert one thread serves all connections
  setenv supported
  presetenv supported
  unsetenv supported
  resetenv supported
  strict-limits supported \`no strict-limits\` starts with the open files there are
  localpeer inert there are no peers yet
  numa-cpu-mapping inert one thread serves all connections
  cluster-secret inert QUIC only
  fd-hard-limit inert the limit on open files is as the system sets it
  expose-experimental-directives inert no experimental directive is offered
  h2-workaround-bogus-websocket-clients inert ${HTTP}
`);

/** HAProxy's own order of words it may suggest in `global`: registered ones first, then these. */
export const GLOBAL_SECTION_WORDS: readonly string[] = ['defaults', 'listen', 'frontend', 'backend', 'peers', 'resolvers'];

/** Words of `global` that HAProxy knows and never suggests. */
export const GLOBAL_UNSUGGESTED: ReadonlySet<string> = new Set([
  'fd-hard-limit',
  'expose-experimental-directives',
  'h2-workaround-bogus-websocket-clients',
]);

/** Sections `defaults`, `frontend`, `listen` and `backend`. */
export const PROXY_KEYWORDS: KeywordTable = table(`
  http-check inert ${CHECKS}
  tcp-check inert ${CHECKS}
  timeout supported connect, client, server, queue, tunnel, client-fin, server-fin; check, http-request, http-keep-alive and tarpit are read
  clitimeout removed
  contimeout removed
  srvtimeout removed
  rate-limit supported \`rate-limit sessions\`
  max-keep-alive-queue inert ${HTTP}
  declare inert ${HTTP}
  retry-on inert failed connections are retried, nothing else is
  clitcpka-cnt inert keep-alive probes are timed by the system
  srvtcpka-cnt inert keep-alive probes are timed by the system
  clitcpka-idle inert keep-alive probes are timed by the system
  srvtcpka-idle inert keep-alive probes are timed by the system
  clitcpka-intvl inert keep-alive probes are timed by the system
  srvtcpka-intvl inert keep-alive probes are timed by the system
  errorloc inert ${HTTP}
  errorloc302 inert ${HTTP}
  errorloc303 inert ${HTTP}
  errorfile inert ${HTTP}
  errorfiles inert ${HTTP}
  http-error inert ${HTTP}
  tcp-request refused see the actions below: a rule that decides is refused, one that only notes something is inert
  tcp-response refused see the actions below: a rule that decides is refused, one that only notes something is inert
  filter refused a filter changes or judges the traffic; \`compression\` and \`trace\` are inert
  use-fcgi-app refused ${HTTP}
  compression inert ${HTTP}
  external-check inert ${CHECKS}
  listen supported begins the section
  frontend supported begins the section
  backend supported begins the section
  defaults supported begins the section
  server supported see the keywords of \`server\`
  default-server supported
  server-template refused several servers behind one name need the resolvers that are not there yet
  bind supported see the keywords of \`bind\`
  monitor-net removed
  monitor-uri refused whoever asks for that URI would be told that this proxy is down
  mode supported \`tcp\`; \`http\` for statistics only
  id supported
  description inert the statistics do not show it yet
  disabled supported
  enabled supported
  bind-process inert HAProxy ignores it too
  acl supported is read and checked; the rules that would use it are refused
  dynamic-cookie-key inert ${HTTP}
  cookie inert ${HTTP}
  email-alert inert ${CHECKS}
  persist refused ${STICKY}
  appsession removed
  load-server-state-from-file inert server states are not kept across restarts
  server-state-file-name inert server states are not kept across restarts
  max-session-srv-conns inert ${HTTP}
  capture inert ${HTTP}
  retries supported
  http-request refused see the actions below: a rule that decides is refused, one that only notes something is inert
  http-response inert ${HTTP}
  http-after-response inert ${HTTP}
  http-send-name-header inert ${HTTP}
  block removed
  redirect refused ${HTTP}
  use_backend refused without a condition it works; conditions are not evaluated yet, so traffic would go to another backend
  use-server refused conditions are not evaluated yet, so traffic would go to another server
  force-persist inert there is no persistence to force
  ignore-persist inert there is no persistence to ignore
  stick-table inert nothing is stored without \`stick\` or \`track-sc\` rules, and those are refused
  stick refused ${STICKY}
  stats supported see the parameters of \`stats\`
  option supported see the options
  default_backend supported
  http-reuse inert ${HTTP}
  monitor refused \`monitor fail\` needs conditions, and \`monitor-uri\`
  transparent refused connections would not reach the address that the client asked for
  maxconn supported connections of this frontend; more wait in the kernel
  backlog supported
  fullconn supported
  dispatch refused declare a \`server\` instead
  balance supported \`roundrobin\`; other algorithms are refused, since they promise another server
  hash-type inert only for algorithms that hash
  hash-balance-factor inert only for algorithms that hash
  unique-id-format inert ${HTTP}
  unique-id-header inert ${HTTP}
  log-format inert lines are written in HAProxy's tcplog form
  log-format-sd inert there is no structured data in our lines
  log-tag supported
  log supported
  source refused servers would see another source address
  usesrc refused servers would see another source address
  error-log-format inert lines are written in HAProxy's tcplog form
`);

/** `option NAME` in a proxy. */
export const PROXY_OPTIONS: KeywordTable = table(`
  splice-request inert there is no splicing to switch
  splice-response inert there is no splicing to switch
  splice-auto inert there is no splicing to switch
  accept-invalid-http-request inert ${HTTP}
  accept-invalid-http-response inert ${HTTP}
  dontlog-normal supported
  log-separate-errors inert errors are logged at the level of all sessions
  log-health-checks inert ${CHECKS}
  socket-stats inert statistics are counted a frontend, not a socket
  tcp-smart-accept inert ${TUNING}
  tcp-smart-connect inert ${TUNING}
  independent-streams inert the timeouts of both directions are renewed together
  http-use-proxy-header inert ${HTTP}
  http-pretend-keepalive inert ${HTTP}
  http-no-delay inert ${HTTP}
  h1-case-adjust-bogus-client inert ${HTTP}
  h1-case-adjust-bogus-server inert ${HTTP}
  disable-h2-upgrade inert ${HTTP}
  abortonclose inert a client that leaves while it waits is dropped from the queue anyway
  allbackups supported
  checkcache inert ${HTTP}
  clitcpka supported
  contstats inert counters are always current
  dontlognull supported
  http-buffer-request inert ${HTTP}
  http-ignore-probes inert ${HTTP}
  idle-close-on-response inert ${HTTP}
  prefer-last-server inert ${HTTP}
  logasap supported
  nolinger inert sockets are closed in the orderly way
  persist inert a server that is down gets no connections
  srvtcpka supported
  transparent refused connections would not reach the address that the client asked for
  httpclose inert ${HTTP}
  http-server-close inert ${HTTP}
  http-keep-alive inert ${HTTP}
  redispatch supported a refused connection goes to another server at once, also without it
  httplog supported in \`mode http\`; in \`mode tcp\` it is \`tcplog\`
  tcplog supported
  tcpka supported
  httpchk inert ${CHECKS}
  ssl-hello-chk inert ${CHECKS}
  smtpchk inert ${CHECKS}
  pgsql-check inert ${CHECKS}
  redis-check inert ${CHECKS}
  mysql-check inert ${CHECKS}
  ldap-check inert ${CHECKS}
  spop-check inert ${CHECKS}
  tcp-check inert ${CHECKS}
  external-check inert ${CHECKS}
  forwardfor inert ${HTTP}
  original-to inert ${HTTP}
  originalto inert ${HTTP}
  httpslog supported in \`mode http\`; in \`mode tcp\` it is \`tcplog\`
  http-restrict-req-hdr-names inert ${HTTP}
  forceclose removed
  http-tunnel removed
  http_proxy removed
  http-use-htx inert ${HTTP}
`);

/** Words after the address on a `bind` line. */
export const BIND_KEYWORDS: KeywordTable = table(`
  allow-0rtt inert ${TLS}
  alpn +1 inert ${TLS}
  ca-file +1 inert ${TLS}
  ca-verify-file +1 inert ${TLS}
  ca-ignore-err +1 inert ${TLS}
  ca-sign-file +1 inert ${TLS}
  ca-sign-pass +1 inert ${TLS}
  ciphers +1 inert ${TLS}
  ciphersuites +1 inert ${TLS}
  crl-file +1 inert ${TLS}
  crt +1 refused ${NO_TLS_TO_CLIENTS}
  crt-ignore-err +1 inert ${TLS}
  crt-list +1 refused ${NO_TLS_TO_CLIENTS}
  curves +1 inert ${TLS}
  ecdhe +1 inert ${TLS}
  force-sslv3 inert ${TLS}
  force-tlsv10 inert ${TLS}
  force-tlsv11 inert ${TLS}
  force-tlsv12 inert ${TLS}
  force-tlsv13 inert ${TLS}
  generate-certificates inert ${TLS}
  no-ca-names inert ${TLS}
  no-sslv3 inert ${TLS}
  no-tlsv10 inert ${TLS}
  no-tlsv11 inert ${TLS}
  no-tlsv12 inert ${TLS}
  no-tlsv13 inert ${TLS}
  no-tls-tickets inert ${TLS}
  ssl refused ${NO_TLS_TO_CLIENTS}
  ssl-min-ver +1 inert ${TLS}
  ssl-max-ver +1 inert ${TLS}
  strict-sni inert ${TLS}
  tls-ticket-keys +1 inert ${TLS}
  verify +1 inert ${TLS}
  npn +1 inert ${TLS}
  prefer-client-ciphers inert ${TLS}
  level +1 inert only for the runtime socket
  expose-fd +1 inert only for the runtime socket
  severity-output +1 inert only for the runtime socket
  accept-netscaler-cip +1 refused the client's address would be taken for data
  accept-proxy supported version 1 and 2; whoever can connect may claim any address, so keep the port to your proxies
  backlog +1 supported
  id +1 supported
  maxconn +1 supported
  name +1 supported
  nice +1 inert ${TUNING}
  process +1 inert one thread serves all connections
  proto +1 refused another protocol than the mode's would be spoken
  shards +1 inert one thread serves all connections
  thread +1 inert one thread serves all connections
  defer-accept inert connections are accepted before their first byte
  interface +1 refused every interface would be listened on
  mss +1 inert ${TUNING}
  tcp-ut +1 inert ${TUNING}
  tfo inert connections are opened by the ordinary handshake
  transparent refused the address would have to be one of this machine
  v4v6 supported
  v6only supported
  namespace +1 refused the port would open in another network namespace
  gid +1 refused for unix sockets: others than those named could connect
  group +1 refused for unix sockets: others than those named could connect
  mode +1 refused for unix sockets: others than those named could connect
  uid +1 refused for unix sockets: others than those named could connect
  user +1 refused for unix sockets: others than those named could connect
`);

/** Words of `bind` that say something about unix sockets only; on a TCP port they mean nothing, here as in HAProxy. */
export const BIND_UNIX_KEYWORDS: ReadonlySet<string> = new Set(['gid', 'group', 'mode', 'uid', 'user']);

/** Words after the address on a `server` line. */
export const SERVER_KEYWORDS: KeywordTable = table(`
  allow-0rtt inert ${TLS}
  alpn +1 inert ${TLS}
  ca-file +1 inert ${TLS}
  check-alpn +1 inert ${CHECKS}
  check-sni +1 inert ${CHECKS}
  check-ssl inert ${CHECKS}
  ciphers +1 inert ${TLS}
  ciphersuites +1 inert ${TLS}
  crl-file +1 inert ${TLS}
  crt +1 inert ${TLS}
  force-sslv3 inert ${TLS}
  force-tlsv10 inert ${TLS}
  force-tlsv11 inert ${TLS}
  force-tlsv12 inert ${TLS}
  force-tlsv13 inert ${TLS}
  no-check-ssl supported
  no-send-proxy-v2-ssl supported
  no-send-proxy-v2-ssl-cn supported
  no-ssl supported
  no-ssl-reuse inert ${TLS}
  no-sslv3 inert ${TLS}
  no-tlsv10 inert ${TLS}
  no-tlsv11 inert ${TLS}
  no-tlsv12 inert ${TLS}
  no-tlsv13 inert ${TLS}
  no-tls-tickets inert ${TLS}
  npn +1 inert ${TLS}
  send-proxy-v2-ssl supported clients come without TLS yet, and that is what the server is told
  send-proxy-v2-ssl-cn supported clients come without TLS yet, and that is what the server is told
  sni +1 inert ${TLS}
  ssl refused ${NO_TLS_TO_SERVER}
  ssl-min-ver +1 inert ${TLS}
  ssl-max-ver +1 inert ${TLS}
  ssl-reuse inert ${TLS}
  tls-tickets inert ${TLS}
  verify +1 inert ${TLS}
  verifyhost +1 inert ${TLS}
  backup supported
  cookie +1 inert ${HTTP}
  disabled supported
  enabled supported
  error-limit +1 inert ${CHECKS}
  ws +1 inert ${HTTP}
  id +1 supported
  init-addr +1 supported libc, last, none and addresses; \`last\` is skipped, since no state is kept
  log-proto +1 inert servers of log backends only
  maxconn +1 supported
  maxqueue +1 supported
  max-reuse +1 inert ${HTTP}
  minconn +1 supported
  namespace +1 refused the server would be looked for in another network namespace
  no-backup supported
  no-send-proxy supported
  no-send-proxy-v2 supported
  no-tfo supported
  non-stick supported
  observe +1 inert ${CHECKS}
  on-error +1 inert ${CHECKS}
  on-marked-down +1 inert ${CHECKS}
  on-marked-up +1 inert ${CHECKS}
  pool-low-conn +1 inert ${HTTP}
  pool-max-conn +1 inert ${HTTP}
  pool-purge-delay +1 inert ${HTTP}
  proto +1 refused another protocol than the mode's would be spoken
  proxy-v2-options +1 supported clients come without TLS yet, so \`authority\` and what is about certificates have nothing to tell
  redir +1 inert ${HTTP}
  resolve-net +1 inert names are resolved once, at start
  resolve-opts +1 inert names are resolved once, at start
  resolve-prefer +1 inert names are resolved once, at start
  resolvers +1 inert names are resolved once, at start
  send-proxy supported
  send-proxy-v2 supported
  slowstart +1 inert ${CHECKS}
  source +-1 refused the server would see another source address
  stick supported
  tfo inert connections are opened by the ordinary handshake
  track +1 inert ${CHECKS}
  socks4 +1 refused the server would be reached by another way
  usesrc refused the server would see another source address
  weight +1 supported
  addr +1 inert ${CHECKS}
  agent-addr +1 inert ${CHECKS}
  agent-check inert ${CHECKS}
  agent-inter +1 inert ${CHECKS}
  agent-port +1 inert ${CHECKS}
  agent-send +1 inert ${CHECKS}
  check inert ${CHECKS}
  check-proto +1 inert ${CHECKS}
  check-send-proxy inert ${CHECKS}
  check-via-socks4 inert ${CHECKS}
  no-agent-check supported
  no-check supported
  no-check-send-proxy supported
  rise +1 inert ${CHECKS}
  fall +1 inert ${CHECKS}
  inter +1 inert ${CHECKS}
  fastinter +1 inert ${CHECKS}
  downinter +1 inert ${CHECKS}
  port +1 inert ${CHECKS}
  tcp-ut +1 inert ${TUNING}
`);

/** `stats WORD` in a proxy. Any of them switches the page on. */
export const STATS_KEYWORDS: KeywordTable = table(`
  admin inert the page is read-only
  uri supported
  realm supported
  auth supported
  scope supported
  enable supported
  hide-version supported
  show-node supported
  show-desc supported
  show-legends supported
  show-modules inert there are no modules to show
  refresh supported
  http-request refused without these rules, whoever they keep out would get the page
`);

const NOTES = 'notes something for rules and logs that are not there yet';
const DECIDES = 'traffic that this rule would treat otherwise would pass';

/** Actions of `tcp-request connection|session|content` and `tcp-response content`. `(` ends a name that takes an argument. */
export const TCP_ACTIONS: KeywordTable = table(`
  accept inert only a rule that rejects makes it matter, and those are refused
  reject refused ${DECIDES}
  close refused ${DECIDES}
  expect-proxy refused ${DECIDES}
  expect-netscaler-cip refused ${DECIDES}
  capture inert ${NOTES}
  track-sc0 inert ${NOTES}
  track-sc1 inert ${NOTES}
  track-sc2 inert ${NOTES}
  ot-group inert ${NOTES}
  set-log-level inert ${NOTES}
  set-nice inert ${TUNING}
  switch-mode refused ${DECIDES}
  use-service refused ${DECIDES}
  sc-inc-gpc( inert ${NOTES}
  sc-inc-gpc0( inert ${NOTES}
  sc-inc-gpc1( inert ${NOTES}
  sc-set-gpt( inert ${NOTES}
  sc-set-gpt0( inert ${NOTES}
  send-spoe-group refused ${DECIDES}
  do-resolve( inert ${NOTES}
  set-var-fmt( inert ${NOTES}
  set-var( inert ${NOTES}
  unset-var( inert ${NOTES}
  set-src refused ${DECIDES}
  set-src-port refused ${DECIDES}
  set-dst refused ${DECIDES}
  set-dst-port refused ${DECIDES}
  set-mark refused ${DECIDES}
  set-tos inert packets carry the system's own mark
  silent-drop refused ${DECIDES}
  set-priority-class inert the queue is first come, first served
  set-priority-offset inert the queue is first come, first served
`);

/** Actions of `http-request`. In `mode tcp` HAProxy ignores them all. */
export const HTTP_REQUEST_ACTIONS: KeywordTable = table(`
  wait-for-handshake inert ${TLS}
  ot-group inert ${NOTES}
  set-log-level inert ${NOTES}
  set-nice inert ${TUNING}
  use-service refused the service is not there yet
  sc-inc-gpc( inert ${NOTES}
  sc-inc-gpc0( inert ${NOTES}
  sc-inc-gpc1( inert ${NOTES}
  sc-set-gpt( inert ${NOTES}
  sc-set-gpt0( inert ${NOTES}
  send-spoe-group refused ${DECIDES}
  do-resolve( inert ${NOTES}
  cache-use inert nothing is cached
  add-acl( inert ${NOTES}
  add-header inert statistics do not look at it
  allow inert only a rule that denies makes it matter, and those are refused
  auth refused ${DECIDES}
  capture inert ${NOTES}
  del-acl( inert ${NOTES}
  del-header inert statistics do not look at it
  del-map( inert ${NOTES}
  deny refused ${DECIDES}
  disable-l7-retry inert requests are never repeated
  early-hint inert statistics do not look at it
  normalize-uri refused ${DECIDES}
  redirect refused ${DECIDES}
  reject refused ${DECIDES}
  replace-header inert statistics do not look at it
  replace-path refused ${DECIDES}
  replace-pathq refused ${DECIDES}
  replace-uri refused ${DECIDES}
  replace-value inert statistics do not look at it
  return refused ${DECIDES}
  set-header inert statistics do not look at it
  set-map( inert ${NOTES}
  set-method refused ${DECIDES}
  set-path refused ${DECIDES}
  set-pathq refused ${DECIDES}
  set-query refused ${DECIDES}
  set-uri refused ${DECIDES}
  strict-mode inert ${NOTES}
  tarpit refused ${DECIDES}
  track-sc( inert ${NOTES}
  set-timeout inert ${NOTES}
  wait-for-body inert statistics do not look at it
  set-var-fmt( inert ${NOTES}
  set-var( inert ${NOTES}
  unset-var( inert ${NOTES}
  set-dst refused ${DECIDES}
  set-dst-port refused ${DECIDES}
  set-mark refused ${DECIDES}
  set-src refused ${DECIDES}
  set-src-port refused ${DECIDES}
  set-tos inert packets carry the system's own mark
  silent-drop refused ${DECIDES}
  set-priority-class inert the queue is first come, first served
  set-priority-offset inert the queue is first come, first served
`);

/** Algorithms of `balance`. A name that ends in `(` takes an argument there. */
export const BALANCE_ALGORITHMS: KeywordTable = table(`
  roundrobin supported in HAProxy's exact order
  static-rr refused ${SPREAD}
  leastconn refused ${SPREAD}
  first refused ${SPREAD}
  random refused ${SPREAD}
  random( refused ${SPREAD}
  source refused ${STICKY}
  hash refused ${STICKY}
  uri refused ${STICKY}
  url_param refused ${STICKY}
  hdr( refused ${STICKY}
  rdp-cookie refused ${STICKY}
  rdp-cookie( refused ${STICKY}
`);

/** A section whose lines are read past. */
export interface OtherSection {
  readonly name: string;
  readonly support: Support;
  readonly note: string;
  readonly keywords: readonly string[];
}

/** The sections beside `global`, `defaults`, `frontend`, `listen` and `backend`. */
export const OTHER_SECTIONS: readonly OtherSection[] = [
  {
    name: 'userlist',
    support: 'inert',
    note: 'nothing can refer to it: `http_auth` is for rules that are refused',
    keywords: ['user', 'group'],
  },
  {
    name: 'peers',
    support: 'inert',
    note: 'there are no stick tables to replicate yet',
    keywords: ['bind', 'default-bind', 'default-server', 'disabled', 'enabled', 'log', 'peer', 'server', 'table', 'shards'],
  },
  {
    name: 'resolvers',
    support: 'inert',
    note: 'names are resolved once, at start, by the system',
    keywords: ['nameserver', 'parse-resolv-conf', 'hold', 'resolution_pool_size', 'resolve_retries', 'accepted_payload_size', 'timeout'],
  },
  {
    name: 'mailers',
    support: 'inert',
    note: 'health checks are not made yet, so nothing is mailed',
    keywords: ['mailer', 'timeout'],
  },
  {
    name: 'cache',
    support: 'inert',
    note: 'nothing is cached',
    keywords: ['total-max-size', 'max-age', 'max-object-size', 'process-vary', 'max-secondary-entries'],
  },
  {
    name: 'program',
    support: 'refused',
    note: 'the program would not run',
    keywords: ['command', 'user', 'group', 'option', 'no'],
  },
  { name: 'http-errors', support: 'inert', note: HTTP, keywords: ['errorfile'] },
  {
    name: 'ring',
    support: 'inert',
    note: 'a log that goes to it is refused',
    keywords: ['description', 'format', 'maxlen', 'server', 'size', 'timeout', 'backing-file', 'default-server'],
  },
  {
    name: 'log-forward',
    support: 'refused',
    note: 'nobody would listen for those logs',
    keywords: ['backlog', 'bind', 'dgram-bind', 'log', 'maxconn', 'timeout'],
  },
  {
    name: 'fcgi-app',
    support: 'inert',
    note: HTTP,
    keywords: ['acl', 'docroot', 'index', 'log-stderr', 'option', 'pass-header', 'path-info', 'set-param', 'no'],
  },
];
