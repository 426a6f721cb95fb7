import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/** What tests use of scripts/*.mjs: those are plain JavaScript that the compiler does not read. */
export interface Setup {
  readonly SetupError: new (message: string) => Error;
  setUp(root: string, say: (line: string) => void): void;
  checkNodeVersion(range: string, version: string): void;
  npmCommand(execPath: string | undefined): [string, string[]];
  adviceForNpm(output: string): string;
  installState(root: string, digest: string): 'stamped' | 'matching' | 'missing';
  isInstallOf(installed: Packages, wanted: Packages): boolean;
  listSources(root: string): string[];
  missingOutputs(root: string, sources: readonly string[]): string[];
  removeOrphans(root: string, sources: readonly string[]): void;
  fingerprintOf(root: string, paths: readonly string[]): string;
}

export type Packages = Record<string, { readonly version?: string; readonly optional?: boolean }>;

export interface DebianPeers {
  reasonNotToInstall(situation: { wanted: boolean; isRoot: boolean; hasApt: boolean }): string | null;
  holdDaemons(root: string): () => void;
  withDaemonsHeld<T>(root: string, action: () => Promise<T>): Promise<T>;
}

export interface TestSelection {
  selectArguments(
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): { words: string[]; nodeOptions: string[]; mayInstall: boolean };
  selectTests(paths: readonly string[], words: readonly string[]): string[];
}

export const loadSetup = (): Promise<Setup> => load('setup.mjs');
export const loadDebianPeers = (): Promise<DebianPeers> => load('debian-peers.mjs');
export const loadTestSelection = (): Promise<TestSelection> => load('test-selection.mjs');

function load<T>(name: string): Promise<T> {
  return import(pathToFileURL(join(REPOSITORY_ROOT, 'scripts', name)).href) as Promise<T>;
}
