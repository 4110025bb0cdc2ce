"""Writing at once, and in order all the same."""

from twisted.internet.testing import StringTransport

from unitymail.relay.prompt import write


def test_other_transports():
    """What is no TCP connection is written to as ever."""
    transport = StringTransport()
    write(transport, b"octets")
    assert transport.value() == b"octets"


def made(**facts):
    from twisted.internet import tcp

    class Fake(tcp.Connection):
        TLS = facts.get("tls", False)

        def __init__(self):
            self.connected = facts.get("connected", True)
            self.dataBuffer = facts.get("waiting", b"")
            self._tempDataBuffer = []
            self.sent = b""
            self.later = b""

        def writeSomeData(self, octets):
            result = facts.get("takes", len(octets))
            if isinstance(result, int):
                self.sent += octets[:result]
            return result

        def write(self, octets):
            self.later += octets

    transport = Fake()
    write(transport, b"octets")
    return transport.sent, transport.later


def test_taken_at_once():
    """A socket that is free takes it; what it does not take waits for the poller."""
    assert made() == (b"octets", b"")
    assert made(takes=2) == (b"oc", b"tets")
    assert made(takes=0) == (b"", b"octets")


def test_order():
    """Nothing overtakes what waits already, nor goes around TLS, nor to a connection that has ended."""
    assert made(waiting=b"before") == (b"", b"octets")
    assert made(tls=True) == (b"", b"octets")
    assert made(connected=False) == (b"", b"octets")
    assert made(takes=ConnectionError()) == (b"", b"octets")
