"""Certificates in their files: what is in use, what is wrong with it, all of it at once, and what to do about it."""

import json
import os
import time
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.certificates import DAY, certificate, expired, new_key, pem_of
from unitymail.tls import BadPair, as_words, look_at_pairs, of_words, read_pairs, self_signed
from unitymail.tls.pairs import _weakness, read_pair

KEY = new_key()


def put(folder, *names, key=KEY, files=("cert.pem", "key.pem"), octets=None, **how):
    """A pair in `folder`; the path of its certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / files[0]).write_bytes(octets or certificate(key, *names, **how))
    (folder / files[1]).write_bytes(pem_of(key))
    return str(folder / files[0])


@pytest.fixture
def ours(tmp_path):
    return put(tmp_path / "tls", "node.example"), str(tmp_path / "tls" / "key.pem")


def names_of(pairs):
    return [pair.names for pair in pairs]


def test_the_node_alone(ours):
    """Without a folder of names there is the node's own."""
    [pair] = read_pairs(*ours)
    assert (pair.file, pair.names, pair.weakness) == (ours[0], ("node.example",), "")
    assert pair.days_left(time.time()) == 29
    assert pair.warning(time.time()) == ""


def test_further_names(ours, tmp_path):
    """A folder each, in the order of the folders: as certbot keeps them, with its chain and README, or as we do."""
    names = tmp_path / "names"
    put(names / "b", "b.example", "*.b.example")
    put(names / "a", "A.Example", files=("fullchain.pem", "privkey.pem"))
    put(names / "a", "only.leaf.example")
    (names / "README").write_text("not a pair")
    (names / ".hidden").mkdir()
    pairs = read_pairs(*ours, str(names))
    assert names_of(pairs) == [("node.example",), ("a.example",), ("b.example", "*.b.example")]
    assert pairs[1].file == str(names / "a" / "fullchain.pem")


def test_links_are_followed(ours, tmp_path):
    """certbot's files are links into its archive."""
    put(tmp_path / "archive", "a.example")
    (tmp_path / "names").mkdir()
    os.symlink(tmp_path / "archive", tmp_path / "names" / "a")
    assert names_of(read_pairs(*ours, str(tmp_path / "names")))[1] == ("a.example",)


def test_everything_wrong_at_once(ours, tmp_path):
    """An administrator mends all of it in one go; each sentence names its file."""
    names = tmp_path / "names"
    put(names / "1", "good.example")
    (names / "2").mkdir()
    put(names / "3", "c.example", octets=b"junk")
    put(names / "4", "d.example", bare=True)
    put(names / "5", "good.example")
    put(names / "6", "e.example", octets=certificate(new_key(), "e.example"))
    (names / "7").mkdir()
    (names / "7" / "cert.pem").write_bytes(certificate(KEY, "f.example"))
    os.unlink(ours[1])
    pairs, complaints = look_at_pairs(*ours, str(names))
    assert complaints == [
        f"{ours[1]} cannot be read: No such file or directory",
        f"{names}/2 holds no cert.pem and key.pem: put them there, or take the folder away",
        f"{names}/3/cert.pem cannot be read, or is no certificate in PEM form",
        f"{names}/4/cert.pem is for no host name (subjectAltName), so nobody could ask for it",
        f"the certificate {names}/6/cert.pem and the key {names}/6/key.pem do not fit each other",
        f"{names}/7/key.pem cannot be read: No such file or directory",
        f"{names}/1/cert.pem and {names}/5/cert.pem are both for good.example: leave one of them",
    ]
    assert names_of(pairs) == [("good.example",), ("good.example",)]
    with pytest.raises(BadPair) as bad:
        read_pairs(*ours, str(names))
    assert bad.value.complaints == tuple(complaints)


def test_a_folder_that_is_not_there(ours, tmp_path):
    """It is named with the reason."""
    [complaint] = look_at_pairs(*ours, str(tmp_path / "none"))[1]
    assert complaint == f"{tmp_path}/none cannot be read: No such file or directory"


@pytest.mark.parametrize("make", [
    lambda: b"", lambda: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    lambda: x509.load_pem_x509_certificate(certificate(KEY)).public_bytes(serialization.Encoding.DER),
])
def test_what_is_no_certificate(tmp_path, make):
    """An empty file, half a one, and another form."""
    path = put(tmp_path / "p", octets=make() or b"\n")
    with pytest.raises(BadPair, match="no certificate in PEM form"):
        read_pair(path, str(tmp_path / "p" / "key.pem"))


def test_a_short_key(tmp_path):
    """OpenSSL would not use it; the sentence says what is needed."""
    path = put(tmp_path / "p", key=new_key("rsa", 1_024))
    with pytest.raises(BadPair) as bad:
        read_pair(path, str(tmp_path / "p" / "key.pem"))
    assert str(bad.value) == (
        f"the key {tmp_path}/p/key.pem has 1024 bits, and RSA needs 2048 at least: make a new key and certificate"
    )


@pytest.mark.parametrize(("how", "words"), [
    ({"begins": -400 * DAY, "ends": -DAY}, "it has expired on "),
    ({"begins": DAY, "ends": 30 * DAY}, "it is not valid before "),
    ({"ends": 14 * DAY}, "in 13 days: renew it"),
    ({"ends": DAY / 2}, "in 0 days: renew it"),
    ({"ends": 15 * DAY}, ""),
])
def test_what_needs_doing(tmp_path, how, words):
    """Two weeks before the end, after it, and before the beginning; such a certificate is used all the same."""
    path = put(tmp_path / "p", **how)
    warning = read_pair(path, str(tmp_path / "p" / "key.pem")).warning(time.time())
    assert words in warning
    assert bool(words) == bool(warning)


def test_a_signature_that_clients_do_not_accept():
    """It works, and whoever looks at the status is told why some cannot connect."""
    for digest, words in ((hashes.SHA1(), "it is signed with SHA1"), (hashes.MD5(), "it is signed with MD5"),
                          (hashes.SHA256(), ""), (None, "")):
        assert _weakness(SimpleNamespace(signature_hash_algorithm=digest)).startswith(words)
        assert bool(_weakness(SimpleNamespace(signature_hash_algorithm=digest))) == bool(words)


def test_days_left_count_down(tmp_path):
    """Below zero once it has expired."""
    path = put(tmp_path / "p", octets=expired(KEY))
    assert read_pair(path, str(tmp_path / "p" / "key.pem")).days_left(time.time()) == -2


def test_what_another_process_is_told(ours, tmp_path):
    """In words and back it is the same pair, chain and key included."""
    both = certificate(KEY, "a.example", "*.b.example") + certificate(new_key())
    put(tmp_path / "names" / "a", octets=both)
    for pair in read_pairs(*ours, str(tmp_path / "names")):
        told = of_words(*json.loads(json.dumps(as_words(pair))))
        assert (told, told.chain) == (pair, pair.chain)
        assert pem_of(told.key) == pem_of(pair.key)


def test_the_first_certificate_of_a_chain_counts(tmp_path):
    """What vouches for it stands behind it in the file."""
    path = put(tmp_path / "p", octets=certificate(KEY, "first.example") + certificate(new_key(), "second.example"))
    pair = read_pair(path, str(tmp_path / "p" / "key.pem"))
    assert (pair.names, len(pair.chain)) == (("first.example",), 2)


def test_a_first_one_for_a_new_node(tmp_path):
    """It is for the host name and for this machine."""
    octets, key = self_signed("mail.example")
    (tmp_path / "c").write_bytes(octets)
    (tmp_path / "k").write_bytes(key)
    pair = read_pair(str(tmp_path / "c"), str(tmp_path / "k"))
    assert pair.names == ("mail.example", "localhost")
    assert pair.warning(time.time()) == ""
