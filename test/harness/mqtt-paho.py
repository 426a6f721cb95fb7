"""paho-mqtt (1.6) against a broker: python3 mqtt-paho.py PORT VERSION [ws] [CA CERTIFICATE KEY].

Over WebSocket with `ws`, over TLS with the names of three PEM files. Prints one line for each thing that worked; fails at the first that did not.
"""

import hashlib
import os
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT = int(sys.argv[1])
VERSION = {'3.1': mqtt.MQTTv31, '3.1.1': mqtt.MQTTv311, '5': mqtt.MQTTv5}[sys.argv[2]]
V5 = VERSION == mqtt.MQTTv5
TRANSPORT = 'websockets' if 'ws' in sys.argv[3:] else 'tcp'
TLS_FILES = [word for word in sys.argv[3:] if word != 'ws']
WAIT_S = 120
# Others may use the broker at the same time: client identifiers and topics are this process's own.
OWN = str(os.getpid())


class Client:
    """A paho client whose callbacks end in queues."""

    def __init__(self, client_id, clean=True, will=None):
        self.messages, self.connects, self.subacks, self.published = queue.Queue(), queue.Queue(), queue.Queue(), queue.Queue()
        options = {} if V5 else {'clean_session': clean}
        self.mqtt = mqtt.Client(client_id=f'{client_id}-{OWN}', protocol=VERSION, transport=TRANSPORT, **options)
        if TLS_FILES:
            self.mqtt.tls_set(*TLS_FILES)
        self.mqtt.on_connect = lambda _c, _u, flags, reason, *_: self.connects.put((flags, reason))
        self.mqtt.on_message = lambda _c, _u, message: self.messages.put(message)
        self.mqtt.on_subscribe = lambda _c, _u, _mid, granted, *_: self.subacks.put(granted)
        self.mqtt.on_publish = lambda _c, _u, mid: self.published.put(mid)
        if will:
            self.mqtt.will_set(*will)
        if V5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if clean else 1000
            self.mqtt.connect('127.0.0.1', PORT, 60, clean_start=clean, properties=properties)
        else:
            self.mqtt.connect('127.0.0.1', PORT, 60)
        self.mqtt.loop_start()
        self.flags, reason = self.connects.get(timeout=WAIT_S)
        assert reason == 0, reason

    def subscribe(self, topic, qos):
        self.mqtt.subscribe(topic, qos)
        self.granted(qos)

    def granted(self, qos):
        codes = [code.value if V5 else code for code in self.subacks.get(timeout=WAIT_S)]
        assert codes == [qos], codes

    def publish(self, topic, payload, qos=0, retain=False, properties=None):
        options = {'properties': properties} if V5 else {}
        self.mqtt.publish(topic, payload, qos, retain, **options).wait_for_publish(WAIT_S)

    def next(self):
        return self.messages.get(timeout=WAIT_S)

    def leave(self):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def vanish(self):
        """Closes the socket without a word."""
        self.mqtt.loop_stop()
        self.mqtt._sock_close()


def payloads():
    receiver, sender = Client('receiver'), Client('sender')
    receiver.subscribe(f'{OWN}/a/#', 2)
    for qos in (0, 1, 2):
        for size in (0, 1, 1024 * 1024):
            payload = os.urandom(size)
            sender.publish(f'{OWN}/a/b', payload, qos)
            message = receiver.next()
            assert (message.topic, message.qos, message.retain) == (f'{OWN}/a/b', qos, 0)
            assert hashlib.sha256(message.payload).digest() == hashlib.sha256(payload).digest()
    receiver.leave()
    sender.leave()


def burst():
    receiver, sender = Client('receiver'), Client('sender')
    receiver.subscribe(f'{OWN}/a', 2)
    for qos in (0, 1, 2):
        for i in range(200):
            sender.mqtt.publish(f'{OWN}/a', str(i), qos)
        assert [int(receiver.next().payload) for _ in range(200)] == list(range(200))
    receiver.leave()
    sender.leave()


def retained():
    client = Client('retainer')
    client.publish(f'{OWN}/r/a', 'kept', 1, True)
    client.subscribe(f'{OWN}/r/+', 1)
    message = client.next()
    assert (message.payload, message.retain) == (b'kept', 1)
    client.publish(f'{OWN}/r/a', None, 1, True)
    message = client.next()
    assert (message.payload, message.retain) == (b'', 0)
    client.leave()
    late = Client('late')
    late.subscribe(f'{OWN}/r/#', 0)
    late.publish(f'{OWN}/r/none', 'live')
    assert late.next().payload == b'live'
    late.leave()


def will():
    watcher = Client('watcher')
    watcher.subscribe(f'{OWN}/will/#', 1)
    leaver = Client('leaver', will=(f'{OWN}/will/leaver', 'gone', 1, False))
    leaver.leave()
    Client('lost', will=(f'{OWN}/will/lost', 'gone', 1, False)).vanish()
    message = watcher.next()
    assert (message.topic, message.payload, message.qos) == (f'{OWN}/will/lost', b'gone', 1)
    watcher.leave()


def session():
    first = Client('keeper', clean=False)
    assert first.flags['session present'] == 0
    first.subscribe(f'{OWN}/s', 2)
    first.leave()
    sender = Client('sender')
    for qos in (1, 2):
        sender.publish(f'{OWN}/s', str(qos), qos)
    again = Client('keeper', clean=False)
    assert again.flags['session present'] == (0 if VERSION == mqtt.MQTTv31 else 1)
    assert [again.next().payload for _ in range(2)] == [b'1', b'2']
    again.leave()
    clean = Client('keeper')
    assert clean.flags['session present'] == 0
    clean.leave()
    sender.leave()


def shared():
    topic = f'{OWN}/shared'
    members = [Client('one'), Client('two')]
    for member in members:
        member.subscribe(f'$share/g/{topic}/+', 1)
        member.subscribe(f'{topic}-end', 1)
    sender = Client('sender')
    for i in range(10):
        sender.publish(f'{topic}/x', str(i), 1)
    sender.publish(f'{topic}-end', 'end', 1)
    received = [[payload.decode() for payload in iter(lambda: member.next().payload, b'end')] for member in members]
    assert sorted(received[0] + received[1]) == [str(i) for i in range(10)], received
    assert received[0] and received[1], received
    for client in (*members, sender):
        client.leave()


def properties():
    receiver, sender = Client('receiver'), Client('sender')
    subscription = Properties(PacketTypes.SUBSCRIBE)
    subscription.SubscriptionIdentifier = 42
    receiver.mqtt.subscribe(f'{OWN}/p', options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=2), properties=subscription)
    receiver.granted(1)
    receiver.publish(f'{OWN}/p', 'not to me', 1)
    sent = Properties(PacketTypes.PUBLISH)
    sent.PayloadFormatIndicator = 1
    sent.MessageExpiryInterval = 60
    sent.ContentType = 'text/plain'
    sent.ResponseTopic = 're/ply'
    sent.CorrelationData = b'\x00\x01'
    sent.TopicAlias = 7
    sent.UserProperty = [('a', '1'), ('b', '2'), ('a', '1')]
    sender.publish(f'{OWN}/p', 'x', 1, True, sent)
    message = receiver.next()
    came = message.properties
    assert (message.payload, message.retain) == (b'x', True), message.payload
    assert came.UserProperty == [('a', '1'), ('b', '2'), ('a', '1')], came
    assert (came.PayloadFormatIndicator, came.MessageExpiryInterval, came.ContentType) == (1, 60, 'text/plain'), came
    assert (came.ResponseTopic, came.CorrelationData, came.SubscriptionIdentifier) == ('re/ply', b'\x00\x01', [42]), came
    assert not hasattr(came, 'TopicAlias')
    receiver.leave()
    sender.leave()


for step in (payloads, burst, retained, will, session, shared) + ((properties,) if V5 else ()):
    step()
    print(step.__name__, flush=True)
