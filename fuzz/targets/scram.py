"""The messages of SCRAM: what is read is what was written, in the bounds of RFC 5802, and nothing else is read."""

from __future__ import annotations

from base64 import b64decode, b64encode

from unitymail.interfaces.login import BadScram
from unitymail.login.names import name_of
from unitymail.login.saslprep import prepared
from unitymail.login.scram_messages import DIGEST_OCTETS, read_final, read_first, server_first

WORDS = [b"n,,", b"y,,", b"p=tls-unique,,", b"a=robin,", b"n=robin,", b"r=", b"c=biws,", b",p=", b"=2C", b"=3D",
         b"=2D", b",m=x",
         b",x=y", b"\0", b"\xc3\xa9", b"\xef\xbc\xa1", b"\xe2\x85\xa8", b"\xff",
         b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
SEEDS = [
    b"n,,n=robin,r=rOprNGfwEbeRWgbNEkqO", b"y,a=ro=2Cbin,n=ro=3Dbin,r=abc,x=y", b"p=tls-unique,,n=a,r=b",
    b"c=biws,r=abcdef,p=" + b64encode(bytes(32)), b"c=biws,r=abc,x=y,p=" + b64encode(bytes(31)),
]


def one(data: bytes) -> None:
    prepared(data)
    try:
        first = read_first(data)
    except BadScram as bad:
        assert str(bad).isprintable()
    else:
        assert first.header + first.bare == data and first.name and first.nonce
        assert first.nonce.isascii() and first.nonce.isprintable() and "," not in first.nonce
        name_of(first.name)
        name_of(first.acting_as)
        assert server_first(first.nonce, b"salt", 4096).count(b",") == 2
    try:
        final = read_final(data)
    except BadScram as bad:
        assert str(bad).isprintable()
    else:
        assert len(final.proof) == DIGEST_OCTETS
        unproven, _, proof = data.rpartition(b",p=")
        assert (unproven, b64decode(proof)) == (final.unproven, final.proof)
