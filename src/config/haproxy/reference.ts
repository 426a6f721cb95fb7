import {
  BALANCE_ALGORITHMS,
  BIND_KEYWORDS,
  GLOBAL_KEYWORDS,
  HTTP_REQUEST_ACTIONS,
  type KeywordTable,
  OTHER_SECTIONS,
  PROXY_KEYWORDS,
  PROXY_OPTIONS,
  SERVER_KEYWORDS,
  STATS_KEYWORDS,
  type Support,
  TCP_ACTIONS,
} from './keywords.ts';

const SUPPORT_WORDS: Readonly<Record<Support, string>> = {
  supported: 'supported',
  inert: 'inert',
  refused: 'not supported',
  removed: 'removed in HAProxy',
};

const INTRODUCTION = `<!-- Written by scripts/haproxy-reference.mjs from the table that the reader uses; do not edit. -->

# haproxy.cfg

Every keyword of HAProxy 2.6 is known. Each has one of these fates:

- **supported**: it does what HAProxy's configuration manual says.
- **inert**: it has no effect, and a warning says why. Leaving it out changes nothing that a client or a server relies on.
- **not supported**: the file is refused at that line. Going on without it would change who gets in, where traffic goes
  or what is on the wire.
- **removed in HAProxy**: HAProxy 2.6 refuses it, too, and says what to use instead.

An unknown keyword is an error with what was likely meant, in HAProxy's own words. \`roundhouse check FILE\` says all of
this without starting anything, with advice on what is right by the manual and wrong for MQTT; \`roundhouse haproxy -c
-f FILE\` says it as HAProxy does, with its exit codes.

## How the file is read

- **Words** are separated by spaces and tabs. \`#\` outside quotes begins a comment, also in the middle of a word.
  \`"..."\` keeps blanks and expands \`$NAME\`, \`\${NAME}\`, \`\${NAME-default}\` and \`\${NAME[*]}\` (one word for each in the
  value); \`'...'\` keeps everything. Outside \`'...'\` these are escapes: \`\\ \`, \`\\#\`, \`\\\\\`, \`\\'\`, \`\\"\`, \`\\n\`, \`\\r\`, \`\\t\`,
  \`\\xHH\`. A variable that is not set leaves nothing behind; a warning of ours names it.
- **Lines** have at most 64 words and end in LF or CRLF, the last one too. A NUL ends the file with an error.
- **Times** are an integer and \`us\`, \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, in lower case; without a unit they count in
  milliseconds. There are no decimals, and no more than 2147483647 ms (about 24.8 days).
- **Numbers** that are none count as 0, as in HAProxy; a warning of ours says so.
- **Addresses** are \`HOST:PORT\`, where \`*\` and nothing stand for every IPv4 address and \`::\` for every IPv6 one, with
  the prefixes of the manual's section 11. \`bind\` takes several after commas and ranges of ports. Host names are
  resolved once, at start. Variables are expanded also outside quotes.
- **Sections** may repeat. A proxy starts from the \`defaults\` above it, or from the one it names (\`from NAME\`).
- **Conditions** \`.if\`, \`.elif\`, \`.else\`, \`.endif\` know \`defined\`, \`feature\`, \`streq\`, \`strneq\`, \`version_atleast\`,
  \`version_before\`, \`openssl_version_atleast\`, \`openssl_version_before\` and \`ssllib_name_startswith\`; \`.notice\`,
  \`.warning\`, \`.alert\` and \`.diag\` print their argument. The version is that of HAProxy 2.6.12.

What stands on an inert line is not judged beyond its first words: where HAProxy would complain of an argument, we only
say that the line has no effect.

Messages that HAProxy would print, too, count as they do there: for the exit code, for \`-dW\` and for \`Warnings were
found.\` Warnings of our own do not.
`;

/** The text of docs/reference/haproxy-cfg.md. */
export function renderHAProxyReference(): string {
  const parts = [INTRODUCTION];
  const add = (title: string, keywords: KeywordTable, text = ''): void => {
    parts.push(`## ${title}\n\n${text === '' ? '' : `${text}\n\n`}${renderTable(keywords)}`);
  };
  add('Section `global`', GLOBAL_KEYWORDS);
  add('Sections `defaults`, `frontend`, `listen` and `backend`', PROXY_KEYWORDS);
  add('`balance`', BALANCE_ALGORITHMS, 'In a backend without it, connections go round robin.');
  add('`option`', PROXY_OPTIONS);
  add('`stats`', STATS_KEYWORDS, 'Any of these in a proxy in `mode http` switches the statistics page on.');
  add('`bind`', BIND_KEYWORDS, 'Words after the address.');
  add(
    '`server` and `default-server`',
    SERVER_KEYWORDS,
    'Words after the address. The inert ones about health checks are checked all the same, and those without `check` are warned of.',
  );
  add('`tcp-request` and `tcp-response` actions', TCP_ACTIONS, 'After `connection`, `session` or `content`. `inspect-delay` is inert.');
  add('`http-request` actions', HTTP_REQUEST_ACTIONS, 'In `mode http`; in `mode tcp` HAProxy ignores all of them.');
  const rows = OTHER_SECTIONS.map(
    ({ name, support, note, keywords }) =>
      `| \`${name}\` | ${SUPPORT_WORDS[support]} | ${capitalize(note)}. Keywords: ${keywords.map((keyword) => `\`${keyword}\``).join(', ')} |`,
  );
  parts.push(`## Other sections\n\n| section | | |\n| --- | --- | --- |\n${rows.join('\n')}\n`);
  return parts.join('\n');
}

function renderTable(keywords: KeywordTable): string {
  const rows = [...keywords.values()]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, support, note }) => `| \`${name.replace(/\($/, '(...)')}\` | ${SUPPORT_WORDS[support]} | ${capitalize(note)} |`);
  return `| keyword | | |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** Notes complete a sentence; here they stand alone. A keyword at the beginning keeps its case. */
function capitalize(note: string): string {
  return note.startsWith('`') ? note : note.charAt(0).toUpperCase() + note.slice(1);
}
