/**
 * Whom a normative statement binds.
 *
 * - `server`, `both`: what a server does or keeps from doing.
 * - `checked`: clients; a server that receives the breach tells, and ends the connection.
 * - `client`: clients, and no server can tell.
 */
export type Binds = 'server' | 'both' | 'checked' | 'client';

/** One numbered normative statement, in words of our own. */
export interface Statement {
  /** As it is cited, without brackets: `MQTT-3.1.2-22` of MQTT 5.0, `MQTT3-3.1.2-22` of MQTT 3.1.1. */
  readonly id: string;
  readonly binds: Binds;
  readonly rule: string;
  /** MQTT 3.1.1: the statements of MQTT 5.0 that say the same. What obeys and tests those obeys and tests this one. */
  readonly same: readonly string[];
}

/** A statement as the tables write it: its number, whom it binds, the rule, and the numbers of MQTT 5.0 that say the same. */
export type Row = readonly [number: string, binds: Binds, rule: string, same?: string];

export function statements(prefix: 'MQTT' | 'MQTT3', rows: readonly Row[]): readonly Statement[] {
  return rows.map(([number, binds, rule, same]) => ({
    id: `${prefix}-${number}`,
    binds,
    rule,
    same: same === undefined ? [] : same.split(' ').map((other) => `MQTT-${other}`),
  }));
}
