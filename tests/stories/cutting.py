"""A wire between two nodes that a story may cut: replies stop coming, then the connection ends."""

import contextlib
import socket
import threading


class Cutting:
    """Carries connections to `target`, a port of this machine, from `port`."""

    def __init__(self, target):
        self._target = target
        self._limit = None
        self._pairs = []
        self._closed = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closed = True
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        self._accepting.join(10)

    def deafen(self, octets):
        """From now on a client that has sent so many octets hears nothing more, while all it says arrives."""
        self._limit = octets

    def cut(self):
        """End every connection, and only then carry well: a reply that comes at this moment is not heard either."""
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()
        self._limit = None

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                if self._closed:
                    return
                client.close()
                continue
            self._pairs.append((client, server))
            said = [0]
            threads = [
                threading.Thread(target=self._carry, args=(client, server, said, True), daemon=True),
                threading.Thread(target=self._carry, args=(server, client, said, False), daemon=True),
            ]
            for thread in threads:
                thread.start()
            threading.Thread(target=self._close, args=(threads, client, server), daemon=True).start()

    def _carry(self, source, sink, said, from_client):
        with contextlib.suppress(OSError):
            while octets := source.recv(65_536):
                if from_client and self._limit is not None:
                    said[0] += len(octets)
                if from_client or self._limit is None or said[0] <= self._limit:
                    sink.sendall(octets)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _close(self, threads, *ends):
        for thread in threads:
            thread.join()
        for end in ends:
            end.close()
