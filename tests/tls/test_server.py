"""TLS as clients of the doors meet it: the certificate for the name they ask for, what is spoken, what is resumed, and
what a reload changes. What cannot be used is said in one sentence, and never asks the terminal."""

import gc
import hashlib
import shutil
import socket
import ssl
import subprocess
import weakref
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL

from tests.certificates import DAY, certificate, new_key, pem_of
from tests.tls.handshake import Client, trusting
from unitymail.interfaces.tls import IMutualTls
from unitymail.tls import BadPair, ServerTls, public_key_fingerprint, self_signed


@pytest.fixture
def pair(tmp_path):
    certificate, key = self_signed("localhost")
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def why_not(pair):
    with pytest.raises(BadPair) as bad:
        ServerTls(*map(str, pair))
    return str(bad.value)


def test_what_is_no_certificate_is_named(pair):
    """The sentence names the file, for each way of being none."""
    pair[0].write_text("junk")
    assert why_not(pair) == f"{pair[0]} cannot be read, or is no certificate in PEM form"
    pair[0].unlink()
    assert why_not(pair) == f"{pair[0]} cannot be read: No such file or directory"
    pair[0].mkdir()
    assert why_not(pair) == f"{pair[0]} cannot be read: Is a directory"


def test_a_key_with_a_passphrase_is_refused_without_asking(pair):
    """A node that starts at boot has nobody to ask."""
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"passphrase")
    pair[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )
    assert why_not(pair) == f"{pair[1]} cannot be read, or is no private key in PEM form without a passphrase"


def test_a_pair_that_does_not_fit_is_said_so(pair):
    """Half a renewal is found before it is used; the old pair stays in use."""
    tls = ServerTls(*map(str, pair))
    before = tls.serverConnectionForTLS(None).get_context()
    pair[1].write_bytes(self_signed("localhost")[1])
    with pytest.raises(BadPair, match="do not fit each other"):
        tls.reload()
    assert tls.serverConnectionForTLS(None).get_context() is before


def test_the_fingerprint_is_of_the_key_not_of_the_certificate():
    """A renewed certificate names the same peer; PEM, DER and the parsed certificate give the same."""
    key = new_key()
    first, renewed = certificate(key), certificate(key, ends=90 * DAY)
    assert first != renewed
    parsed = x509.load_pem_x509_certificate(renewed)
    der = parsed.public_bytes(serialization.Encoding.DER)
    found = {public_key_fingerprint(each) for each in (first, renewed, parsed, der)}
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert found == {hashlib.sha256(spki).hexdigest()}
    assert public_key_fingerprint(certificate(new_key())) not in found


def test_what_is_no_certificate_has_no_fingerprint():
    """Junk is a ValueError, in either form."""
    for junk in (b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ValueError, match=r"\S"):
            public_key_fingerprint(junk)


def test_the_files_are_known_to_those_who_show_them(pair):
    """The relaying client shows the same pair to peers."""
    tls = ServerTls(*map(str, pair))
    assert (tls.certificate, tls.key) == tuple(map(str, pair))


class Unreadable:
    """A connection whose client showed something with a key of no known kind."""

    def get_peer_certificate(self, *, as_cryptography):
        return self

    def public_key(self):
        raise UnsupportedAlgorithm("a key from the future")


def test_a_key_of_an_unknown_kind_is_nobodys(pair):
    """A stranger with a strange key goes on as a stranger."""
    assert ServerTls(*map(str, pair)).mutual.client_key(Unreadable()) == ""


def test_a_renewed_certificate_serves_both_sides(pair):
    """After SIGHUP the mta door shows the new certificate too."""
    tls = ServerTls(*map(str, pair))
    before = tls.mutual.serverConnectionForTLS(None).get_context()
    tls.reload()
    assert tls.mutual.serverConnectionForTLS(None).get_context() is not before
    assert IMutualTls.providedBy(tls.mutual)
    assert not IMutualTls.providedBy(tls)


# What clients meet

OLD, V12, V13 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Certificates:
    """Three pairs as files: the node's own, one for a.example, one for every name under b.example."""

    def __init__(self, folder):
        self.folder = folder
        self.make("", "node.example")
        self.make("a", "a.example")
        self.make("b", "*.b.example", key=new_key("rsa"))
        self.tls = ServerTls(str(folder / "cert.pem"), str(folder / "key.pem"), str(folder / "names"))

    def make(self, place, name, key=None):
        """Write a fresh pair; DER of its certificate is in `der[place]`."""
        where = self.folder / "names" / place if place else self.folder
        where.mkdir(parents=True, exist_ok=True)
        key = key or new_key()
        octets = certificate(key, name)
        (where / "cert.pem").write_bytes(octets)
        (where / "key.pem").write_bytes(pem_of(key))
        self.der = {**getattr(self, "der", {}), place: ssl.PEM_cert_to_DER_cert(octets.decode())}

    def meet(self, asks=None, *, mutual=False, **how):
        side = self.tls.mutual if mutual else self.tls
        return Client(side.serverConnectionForTLS(None), asks=asks, **how)


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path)


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize("mutual", [False, True])
@pytest.mark.parametrize(("asks", "place"), [
    (None, ""), ("node.example", ""), ("unknown.example", ""), ("a.example", "a"), ("x.b.example", "b"),
    ("b.example", ""), ("y.x.b.example", ""), ("A.EXAMPLE", "a"),
])
def test_the_certificate_for_the_name(certificates, version, mutual, asks, place):
    """Both kinds of door show the one for the name, the node's own for no name or an unknown one."""
    met = certificates.meet(asks, mutual=mutual, context=trusting(version, version))
    assert met.shown == certificates.der[place]


def test_a_name_before_a_wildcard(certificates):
    """The node's own name is its own certificate's, also where a wildcard of another one covers it."""
    certificates.make("c", "*.example")
    certificates.tls.reload()
    assert certificates.meet("node.example").shown == certificates.der[""]
    assert certificates.meet("other.example").shown == certificates.der["c"]


def test_a_client_that_checks(certificates, tmp_path):
    """With the name and the certificate checked, as mail programs do, it is let through; another name is not."""
    context = ssl.create_default_context(cafile=str(tmp_path / "names" / "a" / "cert.pem"))
    assert certificates.meet("a.example", context=context).tls.version() == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        certificates.meet("x.a.example", context=context)


@pytest.mark.parametrize("asks", ["a.example", None])
def test_who_shows_a_certificate_under_another_name(certificates, tmp_path, asks):
    """The mutual door hears of a peer's key whichever certificate of ours it was shown."""
    key = new_key()
    (tmp_path / "peer.pem").write_bytes(certificate(key, "peer.example") + pem_of(key))
    for version in (V12, V13):
        context = trusting(version, version)
        context.load_cert_chain(str(tmp_path / "peer.pem"))
        met = certificates.meet(asks, mutual=True, context=context)
        assert certificates.tls.mutual.client_key(met.server) == public_key_fingerprint(certificate(key))
        again = certificates.meet(asks, mutual=True, context=context, session=met.tls.session)
        assert again.tls.session_reused
        assert certificates.tls.mutual.client_key(again.server) == public_key_fingerprint(certificate(key))


def test_old_versions_are_refused(certificates):
    """TLS 1.1 and before are not spoken, whatever ciphers a client would take."""
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol|version|alert"):
        certificates.meet(context=trusting(ssl.TLSVersion.TLSv1, OLD))


@pytest.mark.parametrize("weak", [
    "RC4-SHA:@SECLEVEL=0", "DES-CBC3-SHA:@SECLEVEL=0", "AES128-SHA:@SECLEVEL=0", "AES256-GCM-SHA384:@SECLEVEL=0",
    "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", "DHE-RSA-AES256-GCM-SHA384",
    "aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0",
])
def test_weak_ciphers_are_refused(certificates, weak):
    """Neither old ciphers, nor CBC, nor keys without forward secrecy."""
    try:
        context = trusting(V12, V12, weak)
    except ssl.SSLError:
        return  # the client's own library does not know it any more
    for asks in (None, "x.b.example"):
        with pytest.raises(ssl.SSLError):
            certificates.meet(asks, context=context)


def test_what_is_agreed_on(certificates):
    """What we like best of what the client has, with a key of the moment; nothing is compressed."""
    for version, cipher in ((V12, "ECDHE-ECDSA-AES256-GCM-SHA384"), (V13, "TLS_AES_256_GCM_SHA384")):
        met = certificates.meet(context=trusting(version, version))
        assert met.tls.cipher()[0] == cipher
        assert met.tls.compression() is None
    taken = trusting(V12, V12, "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")
    assert certificates.meet(context=taken).tls.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.mark.parametrize("group", ["prime256v1", "X25519", "secp384r1"])
def test_groups_that_clients_know(certificates, group):
    """A client that knows only one of the usual ones is served, with each version."""
    for version in (V12, V13):
        context = trusting(version, version)
        context.set_ecdh_curve(group)
        # With TLS 1.2 the group of a certificate on a curve would have to be known too (RFC 8422 5.1).
        assert certificates.meet("x.b.example", context=context).tls.version()


@pytest.mark.parametrize("mutual", [False, True])
def test_the_chain_is_shown(certificates, tmp_path, mutual):
    """What vouches for a certificate comes with it: a client that knows the root alone can follow."""
    vouching = certificate(new_key(), "authority.example")
    for path in (tmp_path / "cert.pem", tmp_path / "names" / "a" / "cert.pem"):
        path.write_bytes(path.read_bytes() + vouching)
    certificates.tls.reload()
    side = certificates.tls.mutual if mutual else certificates.tls
    for asks in (None, b"a.example"):
        server, client = side.serverConnectionForTLS(None), SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        server.set_accept_state()
        client.set_connect_state()
        if asks:
            client.set_tlsext_host_name(asks)
        for _ in range(3):
            for one, other in ((client, server), (server, client)):
                with suppress(SSL.WantReadError):
                    one.do_handshake()
                with suppress(SSL.WantReadError):
                    other.bio_write(one.bio_read(65_536))
        chain = client.get_peer_cert_chain(as_cryptography=True)
        assert [each.public_bytes(serialization.Encoding.PEM) for each in chain[1:]] == [vouching], asks


def test_no_renegotiation(certificates):
    """A client cannot make the node shake hands again and again on one connection."""
    connection = certificates.tls.serverConnectionForTLS(None)
    connection.set_accept_state()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    ends = (client, connection)

    def carry():
        for one, other in (ends, ends[::-1]):
            try:
                other.bio_write(one.bio_read(65_536))
            except SSL.WantReadError:
                pass

    def step(end, what):
        try:
            what(end)
        except SSL.WantReadError:
            pass

    for _ in range(4):
        for end in ends:
            step(end, SSL.Connection.do_handshake)
            carry()
    assert client.get_protocol_version_name() == "TLSv1.2"
    assert client.renegotiate() is True
    with pytest.raises(SSL.Error):
        for _ in range(4):
            step(client, SSL.Connection.do_handshake)
            carry()
            step(connection, lambda end: end.recv(1))
            carry()


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize("asks", [None, "a.example"])
def test_resumption(certificates, version, asks):
    """A client that comes again resumes, for further names too; not at a door of the other kind."""
    context = trusting(version, version)
    first = certificates.meet(asks, context=context)
    again = certificates.meet(asks, context=context, session=first.tls.session)
    assert (first.tls.session_reused, again.tls.session_reused) == (False, True)
    if version is V12:
        with pytest.raises((ssl.SSLError, AssertionError)):
            elsewhere = certificates.meet(asks, mutual=True, context=context, session=first.tls.session)
            assert elsewhere.tls.session_reused
    else:
        elsewhere = certificates.meet(asks, mutual=True, context=context, session=first.tls.session)
        assert not elsewhere.tls.session_reused


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(("asks", "place"), [(None, ""), ("a.example", "a")])
def test_no_resumption_over_a_reload(certificates, version, asks, place):
    """After a renewal every client sees the new certificate; no old ticket brings back the old one."""
    context = trusting(version, version)
    first = certificates.meet(asks, context=context)
    certificates.make(place, "a.example" if place else "node.example")
    certificates.tls.reload()
    again = certificates.meet(asks, context=context, session=first.tls.session)
    assert not again.tls.session_reused
    assert again.shown == certificates.der[place] != first.shown


def test_a_connection_outlives_a_reload(certificates):
    """Who shook hands before goes on; only those that follow see the new certificate."""
    met = certificates.meet("a.example")
    certificates.make("a", "a.example")
    certificates.tls.reload()
    met.server.send(b"still here")
    met._carry_back()
    assert met.tls.read(10) == b"still here"


@pytest.mark.parametrize("mutual", [False, True])
def test_a_reload_between_two_hellos(certificates, mutual):
    """Who is asked for a second hello says its name again; what hears it outlives the reload in between."""
    side = certificates.tls.mutual if mutual else certificates.tls
    connection = side.serverConnectionForTLS(None)
    began_with = weakref.ref(connection.get_context())
    Client(connection, asks="a.example")
    assert connection.get_context() is not began_with()
    for _ in range(2):
        certificates.tls.reload()
    gc.collect()
    assert began_with() is not None
    del connection
    gc.collect()
    assert began_with() is None


@pytest.mark.parametrize("group", ["P-521", "X448", "ffdhe2048"])
def test_openssl_that_needs_two_hellos(certificates, group):
    """A client that offers a key first that the node did not ask for, and a reload before its second hello."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    connection = certificates.tls.serverConnectionForTLS(None)
    connection.set_accept_state()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        words = ["-connect", f"127.0.0.1:{listening.getsockname()[1]}", "-servername", "a.example"]
        client = subprocess.Popen(
            ["openssl", "s_client", "-tls1_3", "-groups", f"{group}:X25519", *words], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            line, _ = listening.accept()
            with line:
                line.settimeout(30)
                flights = shake_hands(connection, line, between=lambda: (certificates.tls.reload(), gc.collect()))
        finally:
            client.kill()
            client.communicate()
    assert flights > 2
    assert connection.get_servername() == b"a.example"


def shake_hands(connection, line, *, between):
    """Over a socket; how many flights of the client that took. `between` two of them others are called."""
    flights = 0
    while True:
        octets = line.recv(65_536)
        assert octets
        connection.bio_write(octets)
        flights += 1
        try:
            connection.do_handshake()
            return flights
        except SSL.WantReadError:
            line.sendall(connection.bio_read(65_536))
            between()


def test_what_a_reload_changes(certificates, tmp_path):
    """Renewed, added and removed certificates are told apart; what is as it was is not told."""
    assert certificates.tls.reload() == []
    certificates.make("a", "a.example")
    certificates.make("c", "c.example")
    (tmp_path / "names" / "b").rename(tmp_path / "b")
    changes = certificates.tls.reload()
    assert [(change.what, change.pair.names) for change in changes] == [
        ("renewed", ("a.example",)), ("added", ("c.example",)), ("removed", ("*.b.example",)),
    ]
    assert certificates.meet("x.b.example").shown == certificates.der[""]
    assert certificates.meet("c.example").shown == certificates.der["c"]


def test_what_to_show_otherwise(certificates, tmp_path):
    """Where the files cannot be used, what another process shows is; where they can, it is not looked at."""
    shown = certificates.tls.pairs
    before = dict(certificates.der)
    certificates.make("a", "a.example")
    files = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), str(tmp_path / "names")
    certificates.tls = ServerTls(*files, shown)
    assert certificates.tls.flaw is None
    assert certificates.meet("a.example").shown == certificates.der["a"]
    (tmp_path / "key.pem").write_text("half")
    with pytest.raises(BadPair):
        ServerTls(*files)
    certificates.tls = ServerTls(*files, shown)
    assert certificates.tls.flaw is not None
    for asks, place in ((None, ""), ("a.example", "a"), ("x.b.example", "b")):
        assert certificates.meet(asks).shown == before[place]


def test_all_or_nothing(certificates, tmp_path):
    """One bad pair among good ones: none of them is taken, and all that were in use stay."""
    before = dict(certificates.der)
    certificates.make("", "node.example")
    certificates.make("a", "a.example")
    (tmp_path / "names" / "b" / "key.pem").write_bytes(pem_of(new_key()))
    with pytest.raises(BadPair, match="do not fit each other"):
        certificates.tls.reload()
    for asks, place in ((None, ""), ("a.example", "a"), ("x.b.example", "b")):
        assert certificates.meet(asks).shown == before[place]
    assert len(certificates.tls.pairs) == 3
