import { OTHER_SECTIONS, type OtherSection } from './keywords.ts';
import { invalidNameCharacter } from './proxy-names.ts';
import type { Reading, Statement } from './reading.ts';
import type { PlaceForm } from './report.ts';

/** How HAProxy words what is wrong in one of its smaller sections. */
interface SectionWords {
  readonly missingName: string;
  readonly unknown: (keyword: string) => string;
  readonly form?: PlaceForm;
}

const WORDS: Readonly<Record<string, SectionWords>> = {
  peers: { missingName: 'missing name for peers section.', unknown: (k) => `unknown keyword '${k}' in 'peers' section` },
  userlist: {
    missingName: "'userlist' expects <name> as arguments.",
    unknown: (k) => `unknown keyword '${k}' in 'users' section`,
    form: 'parsing []: ',
  },
  resolvers: { missingName: 'missing name for resolvers section.', unknown: (k) => `unknown keyword '${k}' in 'resolvers' section` },
  mailers: { missingName: 'missing name for mailers section.', unknown: (k) => `unknown keyword '${k}' in 'mailers' section` },
  cache: { missingName: "'cache' expects a <name> argument", unknown: (k) => `unknown keyword '${k}' in 'cache' section` },
  program: { missingName: "'program' expects an <id> argument", unknown: (k) => `unknown keyword '${k}' in 'program' section` },
  'http-errors': {
    missingName: 'missing name for http-errors section.',
    unknown: (k) => `unknown keyword '${k}' in 'http-errors' section`,
  },
  ring: { missingName: 'missing ring name.', unknown: (k) => `unknown statement '${k}'.` },
  'log-forward': {
    missingName: 'missing name for ip-forward section.',
    unknown: (k) => `unknown keyword '${k}' in log-forward section.`,
  },
  'fcgi-app': {
    missingName: "'fcgi-app' expects <name> as argument.",
    unknown: (k) => `unknown keyword '${k}' in 'fcgi-app' section`,
    form: 'parsing []: ',
  },
};

export function findOtherSection(name: string): OtherSection | null {
  return OTHER_SECTIONS.find((section) => section.name === name) ?? null;
}

/** Opens a section that is read past, and says once what is not done about it. */
export function openOtherSection(reading: Reading, statement: Statement, section: OtherSection): undefined {
  const { report } = reading;
  const words = WORDS[section.name]!;
  const name = statement.word(1);
  const options = { form: words.form ?? 'parsing [] : ', keyword: section.name } as const;
  if (name === '') return report.alert(statement.place, words.missingName, { ...options, abort: true });
  reading.hasTooManyWords(statement, 1);
  const forbidden = invalidNameCharacter(name);
  if (forbidden !== null) {
    const message =
      section.name === 'ring'
        ? `invalid ring name '${name}' (character '${forbidden}' is not permitted).`
        : `character '${forbidden}' is not permitted in '${section.name}' name '${name}'.`;
    return report.alert(statement.place, message, { ...options, abort: true });
  }
  if (section.name === 'resolvers') reading.resolvers.add(name);
  if (section.support === 'refused') {
    report.refuse(statement.place, `section '${section.name}' is not supported yet: ${section.note}.`, options);
  } else {
    report.caution(statement.place, `section '${section.name}' has no effect here: ${section.note}.`, options);
  }
}

/** Checks that a line of such a section begins with a word it knows. */
export function readOtherLine(reading: Reading, statement: Statement, section: OtherSection): undefined {
  if (section.keywords.includes(statement.keyword)) return;
  const words = WORDS[section.name]!;
  reading.report.alert(statement.place, words.unknown(statement.keyword), {
    form: words.form ?? 'parsing [] : ',
    keyword: statement.keyword,
  });
}
