import { isIP } from 'node:net';
import { parseAddress } from './addresses.ts';
import { warnTrailing } from './arguments.ts';
import { hasBackend, kindName, newServerDraft, type ProxyDraft, type ServerDraft } from './drafts.ts';
import { atol, isWholeNumber, parseTime } from './durations.ts';
import { SERVER_KEYWORDS } from './keywords.ts';
import { applyProxyHeaderWord, applyProxyV2Options, isProxyHeaderWord } from './proxy-header.ts';
import { invalidNameCharacter } from './proxy-names.ts';
import type { Reading, Statement } from './reading.ts';
import { suggest } from './suggestion.ts';

/** Largest weight of a server. HAProxy's SRV_UWGHT_MAX. */
const WEIGHT_MAX = 256;

/** Reads `server NAME ADDRESS [word...]`, `default-server word...`, and refuses `server-template`. */
export function readServerLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const { place, keyword } = statement;
  const options = { form: '[] : ', keyword } as const;
  const isDefault = keyword === 'default-server';

  if (proxy.kind === 'defaults' && !isDefault) return report.alert(place, `'${keyword}' not allowed in 'defaults' section.`, options);
  if (!hasBackend(proxy)) {
    // HAProxy names the place twice here.
    return report.alert(
      place,
      `parsing [${place.file}:${place.line}] : '${keyword}' not allowed because ${kindName(proxy)} '${proxy.name}' has no backend capability.`,
      options,
    );
  }
  if (keyword === 'server-template') return refuseTemplate(reading, statement);
  if (isDefault) {
    const draft: ServerDraft = { ...proxy.defaultServer, place, checkSettings: [...proxy.defaultServer.checkSettings] };
    if (new ServerLine(reading, statement, proxy, draft, '', 'default-server').readWords(1)) proxy.defaultServer = draft;
    return;
  }

  const name = statement.word(1);
  if (statement.word(2) === '') return report.alert(place, `'server' expects <name> and <addr>[:<port>] as arguments.`, options);
  const forbidden = name === '' ? '' : invalidNameCharacter(name);
  if (forbidden !== null) return report.alert(place, `character '${forbidden}' is not permitted in server name '${name}'.`, options);

  const inherited = proxy.defaultServer;
  const draft: ServerDraft = { ...newServerDraft(place), ...inherited, place, name, checkSettings: [...inherited.checkSettings] };
  const line = new ServerLine(reading, statement, proxy, draft, `'server ${proxy.name}/${name}' : `, name);
  if (!line.readAddress()) return;
  if (!line.readWords(3)) return;
  line.finish();
  proxy.servers.push(draft);
}

function refuseTemplate(reading: Reading, statement: Statement): undefined {
  const { report } = reading;
  const options = { form: '[] : ', keyword: 'server-template' } as const;
  if (statement.word(3) === '') {
    const message = "'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments.";
    return report.alert(statement.place, message, options);
  }
  const range = /^([0-9]+)(?:-([0-9]+))?$/.exec(statement.word(2));
  if (range === null || Number(range[2] ?? range[1]) < 1) {
    return report.alert(statement.place, `Wrong server-template number or range arg '${statement.word(2)}'.`, options);
  }
  const note = SERVER_TEMPLATE_NOTE;
  report.refuse(statement.place, `'server-template' is not supported yet: ${note}.`, options);
}

const SERVER_TEMPLATE_NOTE = 'several servers behind one name need the resolvers that are not there yet';

/** One `server` or `default-server` line. */
class ServerLine {
  readonly #reading: Reading;
  readonly #statement: Statement;
  readonly #proxy: ProxyDraft;
  readonly #draft: ServerDraft;
  /** `'server b/s' : `, or empty. */
  readonly #head: string;
  /** What messages within call the server. */
  readonly #name: string;

  constructor(reading: Reading, statement: Statement, proxy: ProxyDraft, draft: ServerDraft, head: string, name: string) {
    this.#reading = reading;
    this.#statement = statement;
    this.#proxy = proxy;
    this.#draft = draft;
    this.#head = head;
    this.#name = name;
  }

  #fail(keyword: string, message: string): false {
    this.#reading.report.alert(this.#statement.place, `${this.#head}${message}`, { form: '[] : ', keyword });
    return false;
  }

  #refuse(keyword: string, message: string): undefined {
    this.#reading.report.refuse(this.#statement.place, `${this.#head}${message}`, { form: '[] : ', keyword });
  }

  #caution(keyword: string, message: string): undefined {
    this.#reading.report.caution(this.#statement.place, `${this.#head}${message}`, { form: '[] : ', keyword });
  }

  readAddress(): boolean {
    const text = this.#statement.word(2);
    const draft = this.#draft;
    const address = parseAddress(text, { transports: ['stream'], offset: true, names: true }, (name) => this.#reading.variable(name));
    if ('error' in address) return this.#fail('server', address.error);
    this.#reading.cautionUnset(this.#statement.place, address.unsetVariables);
    if (address.family !== 'ip') {
      this.#refuse('server', `'${text}' is not supported yet: a server is an IP address or a host name.`);
    } else if (address.hostKind === 'every') {
      this.#refuse('server', `'${text}' is not supported yet: the address that the client asked for is not known here.`);
    } else if (address.portOffset !== null) {
      this.#refuse('server', `'${text}' is not supported yet: a port is fixed, or left out for that of the client.`);
    }
    draft.host = address.host;
    draft.port = address.port;
    draft.hostName = address.hostKind === 'name' ? address.host : null;
    draft.ipVersion = address.ipVersion;
    return true;
  }

  /** Reads the words from `at` on; false when one of them is wrong. */
  readWords(at: number): boolean {
    const statement = this.#statement;
    for (let index = at; statement.word(index) !== ''; ) {
      const word = statement.word(index);
      const keyword = SERVER_KEYWORDS.get(word);
      if (keyword === undefined) {
        const similar = suggest(word, SERVER_KEYWORDS.keys());
        const hint = this.#head === '' ? ' Hint: no address was expected for this server.' : '';
        return this.#fail(word, `unknown keyword '${word}'${similar === null ? '.' : `; did you mean '${similar}' maybe ?`}${hint}`);
      }
      if (this.#head === '' && word === 'id') {
        // An ALERT, and yet HAProxy takes the file: it only drops the rest of the line.
        const message = "'id' option is not accepted in default-server sections";
        this.#reading.report.alert(this.#statement.place, message, { form: '[] : ', fatal: false, keyword: word });
        return true;
      }
      if (!this.#readWord(word, statement.word(index + 1), keyword.skip)) return false;
      if (keyword.support === 'refused') this.#refuse(word, `'${word}' is not supported yet: ${keyword.note}.`);
      else if (keyword.support === 'inert' && !CHECK_WORDS.has(word)) this.#caution(word, `'${word}' has no effect here: ${keyword.note}.`);
      if (keyword.skip < 0) break;
      index += 1 + keyword.skip;
    }
    return true;
  }

  /** Reads one word with its value; false when it is wrong. Says nothing of whether it is supported. */
  #readWord(word: string, value: string, skip: number): boolean {
    const draft = this.#draft;
    switch (word) {
      case 'weight': {
        const weight = this.#number(word, value);
        if (weight < 0 || weight > WEIGHT_MAX) {
          return this.#fail(word, `weight of server ${this.#name} is not within 0 and ${WEIGHT_MAX} (${weight})..`);
        }
        if (weight === 0 && !isWholeNumber(value)) this.#caution(word, 'with a weight of 0 this server gets no connections.');
        draft.weight = weight;
        return true;
      }
      case 'maxconn':
      case 'minconn':
      case 'maxqueue':
        draft[word] = Math.max(0, this.#number(word, value));
        return true;
      case 'id': {
        if (value === '') return this.#fail(word, "'id' : expects an integer argument.");
        const id = this.#number(word, value);
        if (id <= 0) return this.#fail(word, "'id' : custom id has to be > 0.");
        const other = this.#proxy.servers.find((server) => server.idSet && server.id === id);
        if (other) {
          const where = `${other.place.file}:${other.place.line}`;
          return this.#fail(word, `'id' : custom id ${id} already used at ${where} ('server ${other.name}').`);
        }
        draft.id = id;
        draft.idSet = true;
        return true;
      }
      case 'backup':
      case 'no-backup':
        draft.backup = word === 'backup';
        return true;
      case 'disabled':
      case 'enabled':
        draft.disabled = word === 'disabled';
        return true;
      case 'init-addr':
        return this.#readInitAddr(value);
      case 'cookie':
        if (value === '') return this.#fail(word, "'cookie' expects <value> as argument..");
        draft.cookie = value;
        return true;
      case 'redir':
        if (value === '') return this.#fail(word, "'redir' expects <prefix> as argument..");
        draft.redirect = value;
        return true;
      case 'resolvers':
        draft.resolvers = value;
        return true;
      case 'tfo':
        draft.tfo = true;
        return true;
      case 'no-tfo':
        draft.tfo = false;
        return true;
      case 'source':
        if (value !== '') return true;
        return this.#fail(
          word,
          "'source' expects <addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, and 'interface' <name> as argument..",
        );
      case 'usesrc':
        return this.#fail(word, "'usesrc' only allowed after a 'source' statement..");
      case 'proto':
        return value !== '' || this.#fail(word, "'proto' : missing value.");
      case 'namespace':
        return value !== '' || this.#fail(word, "'namespace' : expects <name> as argument.");
      case 'proxy-v2-options': {
        const applied = applyProxyV2Options(draft.proxyHeaderOptions, value);
        if ('unknown' in applied) return this.#fail(word, `'${applied.unknown}' : proxy v2 option not implemented.`);
        draft.proxyHeaderOptions = applied.options;
        return true;
      }
      case 'ws':
        return ['auto', 'h1', 'h2'].includes(value) || this.#fail(word, "'ws' has to be 'auto', 'h1' or 'h2'.");
      case 'log-proto':
        if (value === 'legacy' || value === 'octet-count') return true;
        return this.#fail(word, `'log-proto' expects one of 'legacy' or 'octet-count' but got '${value}'.`);
      case 'resolve-prefer':
        if (value === 'ipv4' || value === 'ipv6') return true;
        return this.#fail(word, "'resolve-prefer' expects either ipv4 or ipv6 as argument..");
      default:
        if (isProxyHeaderWord(word)) {
          draft.proxyHeaderOptions = applyProxyHeaderWord(draft.proxyHeaderOptions, word);
          return true;
        }
        if (CHECK_WORDS.has(word)) return this.#readCheckWord(word, value);
        return skip >= 0;
    }
  }

  #readInitAddr(value: string): boolean {
    const methods: string[] = [];
    for (const method of value.split(/[,\s]+/).filter((part) => part !== '')) {
      if (method !== 'libc' && method !== 'last' && method !== 'none' && isIP(method) === 0) {
        return this.#fail(
          'init-addr',
          `'init-addr' : unknown init-addr method '${method}', supported methods are 'libc', 'last', 'none'..`,
        );
      }
      methods.push(method);
    }
    this.#draft.initAddr = methods;
    return true;
  }

  /** Health checks are not made, and yet a line about them is right or wrong. */
  #readCheckWord(word: string, value: string): boolean {
    const draft = this.#draft;
    const remember = (): true => {
      draft.checkSettings.push(word);
      return true;
    };
    switch (word) {
      case 'check':
      case 'no-check':
        draft.check = word === 'check';
        return true;
      case 'agent-check':
      case 'no-agent-check':
        draft.agentCheck = word === 'agent-check';
        return true;
      case 'no-check-ssl':
      case 'no-check-send-proxy':
        return true;
      case 'inter':
      case 'fastinter':
      case 'downinter':
      case 'agent-inter': {
        if (value === '') return this.#fail(word, `'${word}' expects a delay as argument..`);
        // Whatever the word, HAProxy complains of 'agent-inter' here.
        const time = this.#time(value, {
          overflow: `timer overflow in argument <${value}> to <${word}> of server ${this.#name}, maximum value is 2147483647 ms (~24.8 days)..`,
          unexpected: (c) => `unexpected character '${c}' in 'agent-inter' argument of server ${this.#name}..`,
        });
        if (time === null) return false;
        if (time === 0) return this.#fail(word, `invalid value 0 for argument '${word}' of server ${this.#name}..`);
        if (word === 'inter') draft.interMs = time;
        return remember();
      }
      case 'rise':
      case 'fall':
        if (value === '') return this.#fail(word, `'${word}' expects an integer argument..`);
        if (this.#number(word, value) <= 0) return this.#fail(word, `'${word}' has to be > 0..`);
        return remember();
      case 'port':
      case 'agent-port':
        if (value === '') return this.#fail(word, `'${word}' expects a port number as argument..`);
        if (word === 'port') draft.checkPort = this.#number(word, value);
        else draft.agentPort = this.#number(word, value);
        return remember();
      case 'addr':
        if (value === '') return this.#fail(word, "'addr' expects <ipv4|ipv6> as argument..");
        return this.#checkAddress(value, (error) => `'addr' : ${error}.`) && remember();
      case 'agent-addr':
        if (value === '') return this.#fail(word, "'agent-addr' expects an address as argument..");
        return this.#checkAddress(value, () => `parsing agent-addr failed. Check if '${value}' is correct address..`) && remember();
      case 'agent-send':
        return value === '' ? this.#fail(word, "'agent-send' expects a string as argument..") : remember();
      case 'check-sni':
        return value === '' ? this.#fail(word, "'check-sni' : missing SNI.") : remember();
      case 'observe':
        if (value === '') return this.#fail(word, "'observe' expects <mode> as argument..");
        if (value !== 'none' && value !== 'layer4' && value !== 'layer7') {
          return this.#fail(word, `'observe' expects one of 'none', 'layer4', 'layer7' but got '${value}'.`);
        }
        if (value === 'layer7' && this.#proxy.mode !== 'http') {
          // An ALERT, and yet HAProxy takes the file.
          this.#reading.report.alert(this.#statement.place, `${this.#head}'layer7' can only be used in http proxies..`, {
            form: '[] : ',
            fatal: false,
            keyword: word,
          });
        }
        return remember();
      case 'error-limit':
        if (value === '') return this.#fail(word, "'error-limit' expects an integer argument..");
        if (this.#number(word, value) <= 0) return this.#fail(word, 'error-limit has to be > 0..');
        return remember();
      case 'on-error':
        if (['fastinter', 'fail-check', 'sudden-death', 'mark-down'].includes(value)) return remember();
        return this.#fail(word, `'on-error' expects one of 'fastinter', 'fail-check', 'sudden-death' or 'mark-down' but got '${value}'.`);
      case 'on-marked-down':
        if (value === 'shutdown-sessions') return remember();
        return this.#fail(word, `'on-marked-down' expects 'shutdown-sessions' but got '${value}'.`);
      case 'on-marked-up':
        if (value === 'shutdown-backup-sessions') return remember();
        return this.#fail(word, `'on-marked-up' expects 'shutdown-backup-sessions' but got '${value}'.`);
      case 'slowstart': {
        const time = this.#time(value, {
          overflow: `overflow in argument <${value}> to <slowstart> of server ${this.#name}, maximum value is 2147483647 ms (~24.8 days)..`,
          unexpected: (c) => `unexpected character '${c}' in 'slowstart' argument of server ${this.#name}..`,
        });
        return time !== null && remember();
      }
      case 'track':
        if (value === '') return this.#fail(word, "'track' expects [<proxy>/]<server> as argument..");
        draft.track = value;
        return true;
      default:
        return remember();
    }
  }

  #checkAddress(value: string, describe: (error: string) => string): boolean {
    const address = parseAddress(value, { transports: ['stream'], port: 'forbidden', names: true }, (name) => this.#reading.variable(name));
    if ('error' in address) return this.#fail('addr', describe(address.error.trimEnd()));
    if (address.hostKind !== 'name' || this.#reading.resolve(address.host, address.ipVersion) !== null) return true;
    return this.#fail('addr', describe(`invalid address: '${address.host}' in '${value}'`));
  }

  #number(word: string, value: string): number {
    const number = atol(value);
    if (!isWholeNumber(value)) this.#caution(word, `'${word}' expects an integer, '${value}' is taken for ${number}.`);
    return number;
  }

  #time(text: string, words: { readonly overflow: string; readonly unexpected: (c: string) => string }): number | null {
    const result = parseTime(text);
    if (result.kind === 'time') {
      if (result.trailing !== null) warnTrailing(this.#reading, this.#statement.place, result.trailing, text, `${this.#head}`);
      return result.value;
    }
    this.#fail('server', result.kind === 'overflow' ? words.overflow : words.unexpected(result.character));
    return null;
  }

  /** What can be said once the whole line is read. */
  finish(): undefined {
    const draft = this.#draft;
    if (draft.check && draft.track !== null) {
      this.#fail('track', 'unable to enable checks and tracking at the same time!');
      return;
    }
    if (draft.agentCheck && draft.agentPort === 0) {
      this.#reading.report.alert(
        this.#statement.place,
        `${this.#head}server ${this.#name} does not have agent port. Agent check has been disabled.`,
        { form: '[] : ', keyword: 'agent-check' },
      );
      return;
    }
    const asked = ['check', 'agent-check', 'track'].filter(
      (word) => (word === 'check' && draft.check) || (word === 'agent-check' && draft.agentCheck) || (word === 'track' && draft.track),
    );
    const first = asked[0];
    if (first !== undefined) {
      this.#caution(first, `'${first}' has no effect here yet: ${SERVER_KEYWORDS.get('check')!.note}.`);
    } else if (draft.checkSettings.length > 0) {
      const words = [...new Set(draft.checkSettings)].map((word) => `'${word}'`).join(', ');
      const message = `${words}: no effect without 'check', in HAProxy neither; here a server that refuses a connection is passed over at once.`;
      this.#caution(draft.checkSettings[0]!, message);
    }
  }
}

/** Words about health checks: one message at the end of the line speaks for all of them. */
const CHECK_WORDS: ReadonlySet<string> = new Set([
  'check',
  'no-check',
  'check-alpn',
  'check-proto',
  'check-send-proxy',
  'check-sni',
  'check-ssl',
  'check-via-socks4',
  'no-check-send-proxy',
  'no-check-ssl',
  'agent-addr',
  'agent-check',
  'agent-inter',
  'agent-port',
  'agent-send',
  'no-agent-check',
  'addr',
  'port',
  'inter',
  'fastinter',
  'downinter',
  'rise',
  'fall',
  'observe',
  'error-limit',
  'on-error',
  'on-marked-down',
  'on-marked-up',
  'slowstart',
  'track',
]);
