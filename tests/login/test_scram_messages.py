"""The grammar of SCRAM: what a client may say, byte for byte, and that nothing else is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.interfaces.login import BadScram
from unitymail.login.scram_messages import (
    ClientFinal,
    ClientFirst,
    read_final,
    read_first,
    server_final,
    server_first,
)

PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=30)
NONCES = st.text(st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) != ","]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("n,,n=user,r=abc", ClientFirst(b"n,,", b"n=user,r=abc", "user", "", "abc")),
        ("y,,n=user,r=abc", ClientFirst(b"y,,", b"n=user,r=abc", "user", "", "abc")),
        ("n,a=user,n=user,r=a=b", ClientFirst(b"n,a=user,", b"n=user,r=a=b", "user", "user", "a=b")),
        ("n,a=a=2Cb=3D,n=a=2Cb=3D,r=~!", ClientFirst(b"n,a=a=2Cb=3D,", b"n=a=2Cb=3D,r=~!", "a,b=", "a,b=", "~!")),
        ("n,,n=m\u00fc\u4e2d,r=abc", ClientFirst(b"n,,", "n=m\u00fc\u4e2d,r=abc".encode(), "m\u00fc\u4e2d", "", "abc")),
        ("n,,n=user,r=abc,x=1,y=2=3", ClientFirst(b"n,,", b"n=user,r=abc,x=1,y=2=3", "user", "", "abc")),
    ],
)
def test_first_messages(message, wanted):
    """With and without an identity to act as, escapes, any script, and attributes that nobody must know."""
    assert read_first(message.encode()) == wanted


@pytest.mark.parametrize(
    "message",
    [b"", b"n", b"n,", b"n,,", b"n,,n=user", b"n,,n=user,r=", b"n,,n=,r=abc", b"n,,r=abc,n=user", b"z,,n=user,r=abc",
     b"p=tls-unique,,n=user,r=abc", b"p=tls-exporter,a=u,n=user,r=abc", b"n,b=u,n=user,r=abc", b"n,a=,n=user,r=abc",
     b"n,,m=ext,n=user,r=abc", b"n,,n=us=er,r=abc", b"n,,n=us=2cer,r=abc", b"n,,n=us=", b"n,,n=us\0er,r=abc",
     b"n,,n=user,r=a\xc3\xa9", b"n,,n=user,r=a b", b"n,,n=user,r=abc,", b"n,,n=user,r=abc,xx", b"n,,n=user,r=abc,1=x",
     b"n,,n=user,r=abc,x=", b"n,,n=\xff,r=abc", b"n,,n=user,r=abc\n", b"n,,n=user,r=abc,x=\0", b"N,,n=user,r=abc"],
)  # fmt: skip
def test_no_first_messages(message):
    """Each wrong in one way: the header, channel binding, a mandatory extension, the name, the nonce, the rest."""
    with pytest.raises(BadScram):
        read_first(message)


def test_final_messages():
    """The proof covers all before it, further attributes too."""
    octets = b"t|\xdbe\xaaV\"N#R\x13~R\xd7\xbd\xca\xd6\xa0\xf78\xdf0x,\xaai\xa2\xcf\xb0'uT"
    assert read_final(f"c=biws,r=abc,p={PROOF}".encode()) == ClientFinal(b"c=biws,r=abc", b"n,,", "abc", octets)
    assert read_final(f"c=biws,r=abc,x=p=1,p={PROOF}".encode()).unproven == b"c=biws,r=abc,x=p=1"


@pytest.mark.parametrize(
    "message",
    ["", "c=biws", "c=biws,r=abc", f"r=abc,c=biws,p={PROOF}", f"c=biws,r=,p={PROOF}", f"c=biw,r=abc,p={PROOF}",
     "c=biws,r=abc,p=", "c=biws,r=abc,p=YWJj", f"c=biws,r=abc,p={PROOF[:-2]}", f"c=biws,r=abc,p={PROOF},x=1",
     f"c=biws,r=abc,p={PROOF}\n", f"c=bi ws,r=abc,p={PROOF}", f"c=biws,r=a c,p={PROOF}", f"c=biws,r=abc,zz,p={PROOF}",
     f"c=biws,r=abc,p={PROOF[:-1]}", f"c=b=ws,r=abc,p={PROOF}"],
)  # fmt: skip
def test_no_final_messages(message):
    """Order, base64, the length of the proof, and nothing behind it."""
    with pytest.raises(BadScram):
        read_final(message.encode())


def test_what_the_server_writes():
    """The examples of RFC 7677 section 3."""
    salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert server_first(nonce, salt, 4096) == f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
    assert server_final(b"\xea" * 32) == b"v=" + b"6urq" * 10 + b"6uo="


@given(NAMES, NONCES, st.sampled_from(["n,,", "y,,"]))
def test_every_name_comes_back(name, nonce, header):
    """What a client escapes as the standard says is the name again, commas and equals signs included."""
    bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
    assert read_first((header + bare).encode()) == ClientFirst(header.encode(), bare.encode(), name, "", nonce)


@given(st.binary(max_size=200) | st.text("nypacmr=,2CD\u00e9 ", max_size=60).map(str.encode))
def test_garbage_is_bad_and_nothing_worse(message):
    """Any octets are a message or BadScram, whose words hold nothing of them."""
    for read in (read_first, read_final):
        try:
            read(message)
        except BadScram as bad:
            assert str(bad).isascii()
