import type { Diagnostic } from '../config/diagnostic.ts';
import { CodedError } from '../errors.ts';
import { lifeFaults, readCredentials } from '../transport/tls-credentials.ts';
import type { Unit } from './deployment.ts';
import { tlsFilesOf } from './tls-renewal.ts';

/** Keys and certificates that cannot be used, or not now. */
export function findCertificateFaults(unit: Unit): Diagnostic[] {
  if (unit.kind !== 'broker' || unit.model.transportConnectors.every(({ tls }) => tls === null)) return [];
  const context = unit.model.sslContext!;
  const say = (severity: Diagnostic['severity'], message: string): Diagnostic => ({
    ...context.place,
    severity,
    keyword: 'sslContext',
    message,
  });
  try {
    return lifeFaults(readCredentials(tlsFilesOf(context)!), Date.now()).map((fault) => say('warning', fault));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [say('error', error.message)];
  }
}
