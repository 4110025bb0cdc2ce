"""Whether a peer can be reached now and knows us: a real conversation with its SMTP door, up to the message itself.

Goes the way of the relaying client (STARTTLS, both certificates, the pinned key, the name, XUNITYMAIL) and says where
it ends, why, and what to do. Blocking; refuses to send anything. Bounded in time, whatever the other side does.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from service_identity import VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.exceptions import CertificateError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.peers import Ourselves
from unitymail.interfaces.directory import Refused
from unitymail.mail.reply import printable
from unitymail.people.location import Location

PATIENCE_S = 10.0
"""For each answer of the peer; all of them together get three times as long."""
AT_ONCE = 8


class _Ends(Exception):
    """The conversation ends here: what is wrong, and what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@dataclass(slots=True)
class Probe:
    """What was found out of one peer, as far as it went. `problem` is "" when mail can go there now."""

    peer: Location
    reached: bool = False
    calls_itself: str = ""
    tls: str = ""
    fingerprint: str = ""
    expires: str = ""
    known_there: bool = False
    problem: str = ""
    remedy: str = ""
    notes: list[str] = field(default_factory=list)

    def facts(self) -> Facts:
        return {
            "name": self.peer.name,
            "host": self.peer.host,
            "port": self.peer.port,
            "ok": not self.problem,
            "reached": self.reached,
            "calls_itself": self.calls_itself,
            "tls": self.tls,
            "fingerprint": self.peer.fingerprint,
            "fingerprint_shown": self.fingerprint,
            "certificate_expires": self.expires,
            "known_there": self.known_there,
            "problem": self.problem,
            "remedy": self.remedy,
            "notes": self.notes,
        }


class Prober:
    """`fingerprint_of` takes a certificate (DER) and raises ValueError."""

    def __init__(
        self, ours: Ourselves, fingerprint_of: Callable[[bytes], str], *, patience_s: float = PATIENCE_S
    ) -> None:
        self._ours = ours
        self._fingerprint_of = fingerprint_of
        self._patience_s = patience_s
        self._context = _showing(ours)

    def all(self, peers: Sequence[Location]) -> list[Probe]:
        """Side by side, so that one who is away does not hold up the rest."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.one, peers))

    def one(self, peer: Location) -> Probe:
        probe = Probe(peer)
        client = smtplib.SMTP(timeout=self._patience_s, local_hostname=self._ours.host)
        # A peer that sends an octet now and then would never be silent long enough to be given up.
        end = threading.Timer(self._patience_s * 3, _cut_off, (client,))
        end.daemon = True
        end.start()
        try:
            self._connect(client, probe)
            self._secure(client, probe)
            self._judge_certificate(client, probe)
            self._ask_whether_known(client, probe)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
        except _Ends as ends:
            probe.problem, probe.remedy = ends.problem, ends.remedy
        except (smtplib.SMTPException, OSError) as error:
            probe.problem = f"the conversation broke off: {_words(error)}"
            probe.remedy = "see the journal of that node; perhaps something between the nodes takes part in SMTP"
        finally:
            end.cancel()
            client.close()
        return probe

    def _connect(self, client: smtplib.SMTP, probe: Probe) -> None:
        peer = probe.peer
        try:
            code, text = client.connect(peer.host, peer.port)
        except (socket.gaierror, UnicodeError):
            raise _Ends(
                f"{peer.host} cannot be looked up", f"give another with `unitymail peer set {peer.name} --host HOST`"
            )
        except smtplib.SMTPServerDisconnected:
            raise _Ends(
                f"{peer.host} port {peer.port} takes the connection and says nothing",
                "see whether that is the SMTP door of a node (not one with TLS from the first octet), and it is well",
            )
        except OSError as error:
            raise _Ends(
                f"{peer.host} port {peer.port} cannot be reached: {_words(error)}",
                "see that the node runs there and that its SMTP port is open to this machine",
            )
        probe.reached = True
        if code != 220:
            raise _Ends(
                f"it refuses this machine: {code} {_plain(text)}",
                f"add this node there, at the host it connects from: {self._ours.command()}; or let this machine in "
                "there: unitymail access add ADDRESS --allow",
            )

    def _secure(self, client: smtplib.SMTP, probe: Probe) -> None:
        client.ehlo()
        if not client.has_extn("starttls"):
            raise _Ends(
                "it offers no STARTTLS to this machine",
                f"add this node there, at the host it connects from: {self._ours.command()}; or offer TLS to all: "
                "unitymail site set smtp.untrusted_tls=optional",
            )
        code, text = client.docmd("STARTTLS")
        if code != 220:
            raise _Ends(f"it refuses STARTTLS: {code} {_plain(text)}", "see the journal of that node")
        assert client.sock is not None
        try:
            client.sock = self._context.wrap_socket(client.sock, server_hostname=probe.peer.host)
        except ssl.SSLError as error:
            raise _Ends(f"no TLS with it: {_words(error)}", "see its certificate and key, and that it speaks TLS 1.2")
        client.file = None

    def _judge_certificate(self, client: smtplib.SMTP, probe: Probe) -> None:
        peer, secure = probe.peer, client.sock
        assert isinstance(secure, ssl.SSLSocket)
        probe.tls = secure.version() or ""
        shown = secure.getpeercert(binary_form=True) or b""
        try:
            probe.fingerprint = self._fingerprint_of(shown)
            certificate = x509.load_der_x509_certificate(shown)
        except ValueError as error:
            raise _Ends(f"its certificate cannot be read: {error}", "give that node another certificate")
        probe.expires = utc(certificate.not_valid_after_utc.timestamp())
        if probe.fingerprint != peer.fingerprint:
            raise _Ends(
                f"its certificate has another key: {probe.fingerprint}",
                "where `unitymail peer key` prints just that on the node itself, its key was changed: unitymail peer "
                f"set {peer.name} --fingerprint {probe.fingerprint}; else somebody else answers there",
            )
        if not _is_for(certificate, peer.host):
            raise _Ends(
                f"its certificate is not for {peer.host}",
                f"make one there that names {peer.host} (the key may stay), or use a host that it names: "
                f"unitymail peer set {peer.name} --host HOST",
            )
        if certificate.not_valid_after_utc < datetime.now(UTC):
            probe.notes.append("its certificate has expired; peers go by the key, but other programs will not")

    def _ask_whether_known(self, client: smtplib.SMTP, probe: Probe) -> None:
        code, text = client.ehlo()
        if code != 250:
            raise _Ends(f"under TLS it refuses: {code} {_plain(text)}", "see the journal of that node")
        probe.calls_itself = (_plain(text).split() or [""])[0]
        probe.known_there = client.has_extn("xunitymail")
        if not probe.known_there:
            raise _Ends(
                "this node is not known there",
                f"add it there: {self._ours.command()} ; or, where it is entered with an older key: unitymail peer set "
                f"{self._ours.name} --fingerprint {self._ours.fingerprint}",
            )


def _showing(ours: Ourselves) -> ssl.SSLContext:
    """Shows our certificate and accepts any: the key is compared, not the signature of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(ours.certificate, ours.key, password=_nobody_to_ask)
    except (ssl.SSLError, ValueError) as error:
        raise Refused(f"{ours.certificate} and {ours.key} cannot be used: {_words(error)}") from error
    return context


def _nobody_to_ask() -> str:
    raise ValueError("the key has a passphrase")


def _cut_off(client: smtplib.SMTP) -> None:
    if client.sock is not None:
        with contextlib.suppress(OSError):
            client.sock.shutdown(socket.SHUT_RDWR)


def _is_for(certificate: x509.Certificate, host: str) -> bool:
    wanted: IPAddress_ID | DNS_ID
    try:
        wanted = IPAddress_ID(host)
    except ValueError:
        wanted = DNS_ID(host)
    try:
        verify_service_identity(extract_patterns(certificate), [wanted], [])
    except (VerificationError, CertificateError):
        return False
    return True


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__


def _plain(octets: bytes) -> str:
    """A peer's words as a part of one line, with nothing in them that a terminal obeys."""
    return printable(" ".join(octets.decode("utf-8", "replace").split()))[:300]
