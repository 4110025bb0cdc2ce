"""A next hop for a story that keeps what it gets, octet for octet, and misbehaves where it is told to."""

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field

DROP = object()
"""Instead of a reply: hang up."""
SILENT = object()
"""Instead of a reply: say nothing more, until the client or the story gives up."""
USUAL = ("PIPELINING", "SIZE 50000000", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES")
STEPS = ("banner", "ehlo", "starttls", "mail", "rcpt", "data", "body", "dot")


@dataclass
class Got:
    """One transaction: MAIL's and RCPTs' arguments as they came, addresses, and the octets of the message."""

    mail: str = ""
    rcpts: list[str] = field(default_factory=list)
    octets: bytes = b""
    answered: str = ""

    @property
    def sender(self):
        return _path(self.mail)

    @property
    def recipients(self):
        return [_path(argument) for argument in self.rcpts]


def _path(argument):
    return argument.partition("<")[2].partition(">")[0]


class Sink:
    """Listens at `port`. `script[step]` is a list of what to do the next times that step comes (None: as usual).

    A reply is text without line end; to `body` there is none, and whoever falls silent there reads no further.
    `extensions` is what EHLO offers; `context` makes STARTTLS possible. `slow`: replies leave an octet at a time.
    """

    def __init__(self, *, extensions=USUAL, context=None):
        self.extensions = list(extensions)
        self.context = context
        self.script = {step: [] for step in STEPS}
        self.slow = False
        self.messages = []
        self.conversations = []
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._clients = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self):
        self._closed.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()
        self._accepting.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def hang_up(self):
        """End every conversation, as a server does with clients that are idle."""
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def having(self, word):
        """The messages with the word in them."""
        return [got for got in self.messages if word.encode() in got.octets]

    def wait_for(self, count, patience=60):
        """The messages, once there are at least `count` of them."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.messages) >= count, patience):
                raise AssertionError(f"{len(self.messages)} messages came instead of {count}: {self.conversations}")
            return list(self.messages)

    def _accept(self):
        while not self._closed.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.talks_with(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        said = []
        self.conversations.append(said)
        with contextlib.closing(_Conversation(self, client, said)) as conversation:
            with contextlib.suppress(OSError, _HungUp, ssl.SSLError):
                conversation.run()

    def talks_with(self, client):
        self._clients.append(client)

    def next_behaviour(self, step):
        with self._changed:
            waiting = self.script[step]
            return waiting.pop(0) if waiting else None

    def keep(self, got):
        with self._changed:
            self.messages.append(got)
            self._changed.notify_all()


class _HungUp(Exception):
    """The conversation is over."""


class _Conversation:
    def __init__(self, sink, client, said):
        self._sink = sink
        self._client = client
        self._said = said
        self._file = client.makefile("rb")
        self._got = Got()
        self._secure = False

    def close(self):
        """Ends what wraps a socket, and with it the socket."""
        self._file.close()
        self._client.close()

    def run(self):
        self._answer("banner", "220 sink.example.org ESMTP")
        while line := self._file.readline(65_536):
            text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
            self._said.append(text)
            verb, _, argument = text.partition(" ")
            self._hear(verb.upper(), argument)

    def _hear(self, verb, argument):
        if verb in ("EHLO", "HELO"):
            self._answer("ehlo", self._greeting(verb))
        elif verb == "STARTTLS" and self._sink.context:
            if self._answer("starttls", "220 2.0.0 go ahead"):
                self._client = self._sink.context.wrap_socket(self._client, server_side=True)
                self._sink.talks_with(self._client)
                self._file = self._client.makefile("rb")
                self._secure = True
        elif verb == "MAIL":
            self._got = Got()
            if self._answer("mail", "250 2.1.0 ok"):
                self._got.mail = argument
        elif verb == "RCPT" and not self._got.mail:
            self._send("503 5.5.1 MAIL first")
        elif verb == "RCPT":
            if self._answer("rcpt", "250 2.1.5 ok"):
                self._got.rcpts.append(argument)
        elif verb == "DATA" and not self._got.rcpts:
            self._send("503 5.5.1 RCPT first")
        elif verb == "DATA":
            if self._answer("data", "354 go on"):
                self._take_body()
        elif verb == "QUIT":
            self._send("221 2.0.0 bye")
            raise _HungUp
        elif verb in ("RSET", "NOOP"):
            self._got = Got()
            self._send("250 2.0.0 ok")
        else:
            self._send("502 5.5.1 not here")

    def _greeting(self, verb):
        if verb == "HELO":
            return "250 sink.example.org"
        offered = [*self._sink.extensions, *(["STARTTLS"] if self._sink.context and not self._secure else [])]
        lines = ["sink.example.org", *offered]
        return "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)

    def _take_body(self):
        if behaviour := self._sink.next_behaviour("body"):
            self._do(behaviour, "")
        lines = []
        while (line := self._file.readline(1_000_000)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if not line:
            raise _HungUp
        self._got.octets = b"".join(lines)
        got, self._got = self._got, Got()
        behaviour = self._sink.next_behaviour("dot")
        got.answered = "drop" if behaviour in (DROP, SILENT) else behaviour or "250 2.0.0 kept"
        self._sink.keep(got)
        self._do(behaviour, "250 2.0.0 kept")

    def _answer(self, step, usual):
        """Whether the step went as the client hoped."""
        return self._do(self._sink.next_behaviour(step), usual)

    def _do(self, behaviour, usual):
        if behaviour is DROP:
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)
            raise _HungUp
        if behaviour is SILENT:
            self._sink._closed.wait(120)
            raise _HungUp
        self._send(behaviour or usual)
        return behaviour is None or behaviour[0] in "23"

    def _send(self, text):
        octets = text.encode() + b"\r\n"
        if not self._sink.slow:
            self._client.sendall(octets)
            return
        for number in range(len(octets)):
            self._client.sendall(octets[number : number + 1])
            self._sink._closed.wait(0.002)
