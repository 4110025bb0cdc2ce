"""The OpenSSL contexts of the doors: which versions and ciphers, and which certificate for which name.

Knows OpenSSL; refuses to know files. Made once for all connections that follow, and never changed afterwards.

Note *What is spoken*. TLS 1.2 and 1.3; with 1.2 only what agrees on a fresh key (ECDHE) and encrypts with integrity
(AES-GCM, ChaCha20). No compression, no renegotiation. Key exchange is OpenSSL's choice: X25519 and P-256 come among
the first, and its hybrid with ML-KEM where the client knows it.

Note *Resumption*. The keys of session tickets live in a context and are drawn when it is made, so that after a reload
no old ticket is taken: every client sees the new certificate. Within its life a context resumes sessions for all of its
names; doors that ask for a certificate and doors that do not are told apart by the session id context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from OpenSSL import SSL

from unitymail.tls.names import Names
from unitymail.tls.pairs import BadPair, Pair

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5"
CIPHERS_13 = b"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"


def context_for(pairs: Sequence[Pair], session_id: bytes, *, asking: bool = False) -> SSL.Context:
    """One that shows the first pair, and another to who asks for one of its names. Raises BadPair.

    `asking`: ask the client for a certificate, and accept whatever it shows.
    """
    first, *others = (_context(pair, session_id, asking) for pair in pairs)
    names: Names[SSL.Context] = Names()
    for pair, context in zip(pairs[1:], others, strict=True):
        names.enter(pair.names, context)
    names.enter(pairs[0].names, first)
    if others:
        first.set_tlsext_servername_callback(lambda connection: _show(connection, names, first))
    return first


def _show(connection: SSL.Connection, names: Names[SSL.Context], first: SSL.Context) -> None:
    wanted = names.find(connection.get_servername())
    if wanted is not None and wanted is not first:
        connection.set_context(wanted)


def _context(pair: Pair, session_id: bytes, asking: bool) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(CIPHERS)
    context.set_tls13_ciphersuites(CIPHERS_13)
    context.set_session_id(session_id)
    if asking:
        context.set_verify(SSL.VERIFY_PEER, _accept_any)
    try:
        context.use_certificate(pair.chain[0])
        for each in pair.chain[1:]:
            context.add_extra_chain_cert(each)
        context.use_privatekey(pair.key)
        context.check_privatekey()
    except SSL.Error as error:
        raise BadPair(f"OpenSSL does not use {pair.file}: {_in_words(error)}") from error
    return context


def _in_words(error: SSL.Error) -> str:
    reasons = [each[-1] for each in error.args[0]] if error.args and error.args[0] else []
    return ", ".join(reason for reason in reasons if reason) or "it does not say why"


def _accept_any(connection: SSL.Connection, certificate: Any, error: int, depth: int, ok: int) -> bool:
    return True
