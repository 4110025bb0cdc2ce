"""An SMTP door of a few lines, in a thread: a test says how it answers, and what certificate it shows."""

import contextlib
import socket
import ssl
import threading


class ScriptedPeer:
    """`answers` maps a verb to what is said; under TLS keys with `+` before the verb come first. b"" hangs up.

    `drip` seconds pass between the octets of the banner.
    """

    ANSWERS = {
        "": b"220 b.example ESMTP\r\n",
        "EHLO": b"250-b.example\r\n250 STARTTLS\r\n",
        "+EHLO": b"250-b.example greets you\r\n250 XUNITYMAIL\r\n",
        "STARTTLS": b"220 go\r\n",
        "QUIT": b"221 bye\r\n",
    }

    def __init__(self, pair=None, answers=(), drip=0.0, version=None):
        self._answers = {**self.ANSWERS, **dict(answers)}
        self._pair = pair
        self._drip = drip
        self._version = version
        self._over = threading.Event()
        self.heard = []
        self.clients_certificate = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._over.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with contextlib.ExitStack() as open_now, contextlib.suppress(OSError):
                    self._talk(open_now.enter_context(connection), open_now)

    def _talk(self, connection, open_now):
        if self._drip:
            for octet in self._answers[""]:
                connection.sendall(bytes((octet,)))
                if self._over.wait(self._drip):
                    return
        elif self._answers[""]:
            connection.sendall(self._answers[""])
        prefix, lines = "", open_now.enter_context(connection.makefile("rb"))
        while line := lines.readline():
            verb = line.split()[0].decode().upper()
            self.heard.append(prefix + verb)
            answer = self._answers.get(prefix + verb, self._answers.get(verb, b"500 what?\r\n"))
            if not answer:
                return
            connection.sendall(answer)
            if verb == "STARTTLS" and answer.startswith(b"220"):
                connection = open_now.enter_context(self._under_tls(connection))
                lines, prefix = open_now.enter_context(connection.makefile("rb")), "+"

    def _under_tls(self, connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._pair)
        if self._version:
            context.minimum_version = context.maximum_version = self._version
        return context.wrap_socket(connection, server_side=True)
