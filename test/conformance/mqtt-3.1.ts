/** A rule of a version that does not number its statements. */
export interface UnnumberedRule {
  /** Of the MQTT V3.1 Protocol Specification. */
  readonly section: string;
  readonly rule: string;
  /** The name of the test that holds it, without ids. */
  readonly test: string;
}

/** Where MQTT 3.1 (IBM and Eurotech, 2010) differs from MQTT 3.1.1, and what is made of it here. */
export const MQTT_3_1: readonly UnnumberedRule[] = [
  { section: '3.1', rule: 'The protocol name is "MQIsdp", the version 3.', test: 'MQTT 3.1 is admitted by its own name' },
  {
    section: '3.1',
    rule: 'The highest bit of the version, with which bridges mark themselves, changes nothing.',
    test: 'a bridge that marks its protocol level is a client like any other',
  },
  {
    section: '3.1',
    rule: 'A client identifier has 1 to 23 characters; longer ones are taken too.',
    test: 'client identifiers of one to 23 letters and digits are allowed, so are longer ones and all of UTF-8: none is refused',
  },
  { section: '3.1', rule: 'An empty client identifier is answered with return code 0x02.', test: 'MQTT 3.1 needs a client identifier' },
  {
    section: '3.1',
    rule: 'A user name or password may be missing whatever its flag says; flags without a meaning are not looked at.',
    test: 'MQTT 3.1: a user name or password flag whose field is missing is let pass, unused flags are not looked at',
  },
  {
    section: '3.2',
    rule: 'CONNACK has no Session Present: its first byte is 0.',
    test: 'MQTT 3.1: CONNACK has no Session Present flag, also where a session goes on',
  },
  { section: '3.6', rule: 'A PUBREL that is sent again may have DUP.', test: 'MQTT 3.1: a PUBREL sent again may have DUP' },
  {
    section: '3.8, 3.10',
    rule: 'A SUBSCRIBE or UNSUBSCRIBE that is sent again may have DUP; bits beside the QoS are not looked at.',
    test: 'MQTT 3.1: DUP on a SUBSCRIBE or UNSUBSCRIBE sent again, and unused option bits, are let pass',
  },
  {
    section: '3.9',
    rule: 'SUBACK has no code for a filter that is refused; 0x80 of MQTT 3.1.1 says it, which clients of that time take for a failure.',
    test: 'a filter with more levels than are served is refused alone; MQTT 3.1, which has no code for it, gets that of MQTT 3.1.1',
  },
];
