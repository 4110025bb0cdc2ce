"""A whole TLS handshake in memory: a server's connection and a client of Python's ssl, no socket between them."""

import ssl
import warnings

from OpenSSL import SSL


class Client:
    """A client that shakes hands with `connection`. Raises ssl.SSLError where the two do not agree."""

    def __init__(self, connection, *, asks=None, context=None, session=None):
        self.server = connection
        self.server.set_accept_state()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.context = context or trusting()
        self.tls = self.context.wrap_bio(self._in, self._out, server_hostname=asks, session=session)
        while not self._goes_on(self.tls.do_handshake):
            self._serve()
        self._serve()
        self.server.send(b"welcome")
        self._serve()
        assert self.tls.read(7) == b"welcome"

    def _goes_on(self, step):
        try:
            step()
        except ssl.SSLWantReadError:
            return False
        return True

    def _serve(self):
        """Carry what each has for the other until both are silent."""
        octets = self._out.read()
        if octets:
            self.server.bio_write(octets)
        try:
            self.server.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self._carry_back()
            self._goes_on(self.tls.do_handshake)
            raise ssl.SSLError(str(error)) from error
        self._carry_back()

    def _carry_back(self):
        while True:
            try:
                self._in.write(self.server.bio_read(65_536))
            except SSL.WantReadError:
                return

    @property
    def shown(self):
        """The server's certificate, DER."""
        return self.tls.getpeercert(binary_form=True)


def trusting(low=ssl.TLSVersion.TLSv1_2, high=ssl.TLSVersion.TLSv1_3, ciphers=None):
    """A context that takes any certificate, of these versions."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if ciphers or low < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the versions that a test is about
        context.minimum_version, context.maximum_version = low, high
    return context
