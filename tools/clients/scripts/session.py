"""A scripted session of python-socketio with the fixture of tools/cmd/refserver.

The conversations are those of the JavaScript scenarios beside this file, as far
as this client knows what they need. It prints a line of JSON for each verdict:

    {"name": "events: ...", "ok": true}
    {"name": "events: ...", "ok": false, "error": "..."}

    python3 session.py --url http://127.0.0.1:3000 --mode upgrade
"""

import argparse
import json
import queue
import traceback

import engineio
import socketio

# This client takes 16 packets in one answer to a poll, and gives the connection up
# at more, whatever the server; servers send what there is.
engineio.payload.Payload.max_decode_packets = 10_000

PATIENCE = 20  # seconds until something that must come counts as missing

scenarios = []


def scenario(name):
    def add(run):
        scenarios.append((name, run))
        return run

    return add


def equal(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


class Client:
    """One client with what it has received, event by event."""

    def __init__(self, t, namespaces=("/",), auth=None, path="socket.io"):
        self.events = queue.Queue()
        self.ended = queue.Queue()
        self.answers = {}
        self.io = socketio.Client(reconnection=False)
        self.namespaces = namespaces
        for namespace in namespaces:
            self.io.on("disconnect", lambda n=namespace: self.ended.put(n), namespace=namespace)
            for event in ("auth", "message-back", "x", "b", "u", "bin", "emit-with-ack", "emit-with-ack-result",
                          "emit-timeout-result", "no-ack", "need-ack", "x:question", "x:b"):
                self.io.on(event, self.handler(event), namespace=namespace)
        self.io.connect(t.url, auth=auth, namespaces=list(namespaces), transports=t.transports, socketio_path=path,
                        wait_timeout=PATIENCE)

    def handler(self, event):
        def handle(*args):
            self.events.put((event, list(args)))
            answer = self.answers.get(event)
            return answer(*args) if answer else None

        return handle

    def next(self):
        return self.events.get(timeout=PATIENCE)

    def emit(self, event, *args, namespace="/"):
        self.io.emit(event, tuple(args), namespace=namespace)

    def ask(self, event, *args, namespace="/"):
        """The first value of the acknowledgement; several as a tuple."""
        return self.io.call(event, tuple(args), namespace=namespace, timeout=PATIENCE)

    def id(self, namespace="/"):
        return self.io.get_sid(namespace)

    def settle(self):
        """Returns when what the server had queued has arrived."""
        self.ask("message-with-ack", "settle")

    def drain(self):
        got = []
        while not self.events.empty():
            got.append(self.events.get())
        return got

    def close(self):
        self.io.disconnect()


class Context:
    def __init__(self, url, mode):
        self.url = url
        self.mode = mode
        self.transports = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}[mode]
        self.open = []

    def connect(self, **options):
        client = Client(self, **options)
        self.open.append(client)
        for _ in client.namespaces:
            event, _ = client.next()
            equal(event, "auth")
        return client

    def close(self):
        for client in self.open:
            client.close()


@scenario("connection: an id, and the transport that was asked for")
def _(t):
    c = t.connect()
    equal(len(c.id()), 20)
    equal(c.io.transport(), "polling" if t.mode == "polling" else "websocket")
    equal(c.ask("id"), c.id())


@scenario("connection: auth")
def _(t):
    c = Client(t, auth={"token": "é€😀", "n": [1, None]})
    t.open.append(c)
    equal(c.next(), ("auth", [{"token": "é€😀", "n": [1, None]}]))


@scenario("connection: twenty at once")
def _(t):
    clients = [t.connect() for _ in range(20)]
    equal(len({c.id() for c in clients}), 20)
    for c in clients:
        equal(c.ask("message-with-ack", 1), 1)


@scenario("events: values come back as they were")
def _(t):
    c = t.connect()
    values = [None, True, -1.5, 0, 2**53 - 1, "", "é€😀\0\n\"\\", [], {}, [None, [{}]], {"b": 1, "a": {"": 2}}]
    c.emit("message", *values)
    equal(c.next(), ("message-back", values))
    c.emit("message")
    equal(c.next(), ("message-back", []))


@scenario("events: null from the server")
def _(t):
    c = t.connect()
    c.emit("emit-undefined")
    equal(c.next(), ("u", [None, None]))


@scenario("events: half a megabyte")
def _(t):
    c = t.connect()
    text = "0123456789é" * 40_000
    c.emit("message", text)
    equal(c.next(), ("message-back", [text]))


@scenario("events: five hundred keep their order, both ways")
def _(t):
    c = t.connect()
    for i in range(500):
        c.emit("message", i)
    equal([c.next()[1][0] for _ in range(500)], list(range(500)))
    c.emit("burst", 500)
    equal([c.next()[1][0] for _ in range(500)], list(range(500)))


@scenario("events: an unknown one is ignored")
def _(t):
    c = t.connect()
    c.emit("nobody listens", 1)
    equal(c.ask("message-with-ack", "alive"), "alive")


@scenario("binary: bytes at any depth")
def _(t):
    c = t.connect()
    value = {"a": [b"\x00\x01\xff", {"b": b""}], "text": "t"}
    c.emit("message", value, b"\x02")
    equal(c.next(), ("message-back", [value, b"\x02"]))


@scenario("binary: from the server, in acknowledgements, and large")
def _(t):
    c = t.connect()
    c.emit("emit-binary")
    equal(c.next(), ("bin", [b"\x01\x02\x03", {"a": b"\x04"}]))
    equal(c.ask("message-with-ack", {"x": b"\xff"}), {"x": b"\xff"})
    large = bytes(range(256)) * 1000
    c.emit("message", large)
    equal(c.next(), ("message-back", [large]))


@scenario("acks: none, one and several values")
def _(t):
    c = t.connect()
    equal(c.ask("message-with-ack"), None)
    equal(c.ask("message-with-ack", "a"), "a")
    equal(c.ask("message-with-ack", 1, [2], {"three": None}), (1, [2], {"three": None}))


@scenario("acks: three hundred at once, each its own")
def _(t):
    c = t.connect()
    replies = queue.Queue()
    for i in range(300):
        c.io.emit("message-with-ack", i, callback=lambda reply, i=i: replies.put((i, reply)))
    equal(sorted(replies.get(timeout=PATIENCE) for _ in range(300)), [(i, i) for i in range(300)])


@scenario("acks: the client's timeout")
def _(t):
    c = t.connect()
    try:
        c.io.call("nobody listens", timeout=0.05)
        raise AssertionError("answered")
    except socketio.exceptions.TimeoutError:
        pass
    equal(c.ask("message-with-ack", "alive"), "alive")


@scenario("acks: called twice by the server, sent once")
def _(t):
    c = t.connect()
    replies = queue.Queue()
    c.io.emit("double-ack", callback=replies.put)
    equal(replies.get(timeout=PATIENCE), 1)
    c.settle()
    assert replies.empty()


@scenario("acks: the server asks")
def _(t):
    c = t.connect()
    c.answers["emit-with-ack"] = lambda *args: (list(reversed(args)), "é€😀")
    c.emit("emit-with-ack", 1, {"a": 2})
    equal(c.next(), ("emit-with-ack", [1, {"a": 2}]))
    equal(c.next(), ("emit-with-ack-result", [[{"a": 2}, 1], "é€😀"]))


@scenario("acks: the server asks while its handler waits")
def _(t):
    c = t.connect()
    c.answers["x:question"] = lambda n: n * 6
    equal(c.ask("x:ask"), 42)


@scenario("acks: of a broadcast")
def _(t):
    a, b = t.connect(), t.connect()
    for _ in range(200):  # until the clients of earlier conversations are gone
        if a.ask("x:stat")["sockets"] == 2:
            break
        a.io.sleep(0.05)
    a.answers["need-ack"] = lambda: "A"
    b.answers["need-ack"] = lambda: "B"
    error, replies = a.ask("broadcast-ack", 20_000)
    equal((error, sorted(replies)), (None, ["A", "B"]))


@scenario("rooms: to, in, except, broadcast, all")
def _(t):
    a, b, c = t.connect(), t.connect(), t.connect()
    equal(a.ask("join", "r"), 2)
    equal(b.ask("join", "r"), 2)
    equal(b.ask("join", "r"), 2)

    def result():
        for client in (a, b, c):
            client.settle()
        return [[args for _, args in client.drain()] for client in (a, b, c)]

    a.emit("to", "r", "x", 1)
    equal(result(), [[], [[1]], []])
    a.emit("in", "r", "x", 2)
    equal(result(), [[[2]], [[2]], []])
    a.emit("except", "r", "x", 3)
    equal(result(), [[], [], [[3]]])
    a.emit("broadcast", "x", 4)
    equal(result(), [[], [[4]], [[4]]])
    a.emit("all", "x", 5, {"b": b"\x01"})
    equal(result(), [[[5, {"b": b"\x01"}]]] * 3)
    a.emit("to", c.id(), "x", 6)
    equal(result(), [[], [], [[6]]])
    equal(b.ask("leave", "r"), 1)
    a.emit("in", "r", "x", 7)
    equal(result(), [[[7]], [], []])


@scenario("namespaces: two on one connection")
def _(t):
    c = t.connect(namespaces=("/", "/custom"))
    assert c.id("/") != c.id("/custom")
    c.emit("message", "main")
    equal(c.next(), ("message-back", ["main"]))
    c.emit("message", "custom", namespace="/custom")
    equal(c.next(), ("message-back", ["custom"]))
    equal(c.ask("id", namespace="/custom"), c.id("/custom"))


@scenario("namespaces: a dynamic one")
def _(t):
    c = t.connect(namespaces=("/dyn-7",))
    equal(c.ask("id", namespace="/dyn-7"), c.id("/dyn-7"))


@scenario("namespaces: unknown and refused ones")
def _(t):
    for namespace, says in (("/random", "Invalid namespace"), ("/auth-fail", "not authorized"), ("/auth-fail-nodata", "nope")):
        refusals = queue.Queue()
        io = socketio.Client(reconnection=False)
        io.on("connect_error", refusals.put, namespace=namespace)
        io.connect(t.url, namespaces=[namespace], transports=t.transports, wait=False)
        refusal = refusals.get(timeout=PATIENCE)
        equal(refusal["message"], says)
        if namespace == "/auth-fail":
            equal(refusal["data"], {"code": 401, "content": "please retry"})
        io.disconnect()


@scenario("disconnect: by the client")
def _(t):
    a, b = t.connect(), t.connect()
    gone = a.id()
    a.close()
    for _ in range(200):
        for sid, reason in b.ask("x:reasons"):
            if sid == gone:  # its goodbye races with the end of its connection
                assert reason in ("client namespace disconnect", "transport close"), reason
                return
        b.io.sleep(0.05)
    raise AssertionError("the server has not noticed")


@scenario("disconnect: by the server")
def _(t):
    c = t.connect()
    c.emit("disconnect-me")
    equal(c.ended.get(timeout=PATIENCE), "/")


@scenario("disconnect: by the server, with the connection")
def _(t):
    c = t.connect()
    c.emit("close-me")
    equal(c.ended.get(timeout=PATIENCE), "/")


@scenario("heartbeat: the connection outlives several")
def _(t):
    c = t.connect()
    c.io.sleep(3.5)  # pings come every second
    equal(c.ask("message-with-ack", "alive"), "alive")


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--url", required=True)
    flags.add_argument("--mode", default="upgrade", choices=["polling", "websocket", "upgrade"])
    flags.add_argument("--only", default="")
    flags = flags.parse_args()
    for name, run in scenarios:
        if flags.only not in name:
            continue
        t = Context(flags.url, flags.mode)
        verdict = {"name": name, "ok": True}
        try:
            run(t)
        except Exception:
            verdict = {"name": name, "ok": False, "error": traceback.format_exc()}
        finally:
            t.close()
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
