"""The MIME tree: right on good mail, bounded and calm on bad mail."""

import email
import mmap
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from tests.mail.structure_model import model
from unitymail.mail.structure import Part, find_part, leaves, scan, walk
from unitymail.mail.text import decoded

VECTORS = sorted((Path(__file__).parent.parent / "vectors").glob("*.eml"))
REPORTS = ("message/delivery-status", "message/disposition-notification")
HEAD = b"From: a@b\r\nMIME-Version: 1.0\r\n"


def shape(part):
    """Type and body of each part, nested as the parts are; bodies of leaves are taken from `octets`."""
    return part.media_type, tuple(shape(child) for child in part.children)


def body(octets, part):
    return octets[part.body:part.end]


def multipart(boundary, *parts, preamble=b"", epilogue=b"", close=True, subtype=b"mixed"):
    """A multipart entity: its header and its body."""
    delimiter = b"\r\n--" + boundary
    inside = preamble + b"".join(delimiter + b"\r\n" + part for part in parts)
    header = b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"\r\n\r\n'
    return header + inside + (delimiter + b"--" + epilogue if close else b"")


def check_tree(octets, structure):
    """Whatever the octets: offsets inside the message, children inside parents, in order, never overlapping."""
    assert structure.size == len(octets)
    assert structure.malformed == bool(structure.flaws)
    root = structure.root
    assert (root.start, root.end) == (0, len(octets))
    for part in walk(root):
        assert 0 <= part.start <= part.body <= part.end <= len(octets)
        assert not part.is_multipart or part.children
        assert (len(part.children) == 1) == part.is_message or part.is_multipart
        assert part.is_message or part.media_type not in ("message/rfc822", "message/global")
        position = part.body
        for child in part.children:
            assert position <= child.start and child.end <= part.end
            position = child.end
    assert len(list(walk(root))) <= 1000


def test_one_part():
    """A message without any MIME field is one text/plain part with all of the body."""
    octets = b"Subject: hi\r\n\r\none\r\ntwo\r\n"
    root = scan(octets).root
    assert root == Part(0, 15, 25, "text", "plain", (), lines=2)
    assert body(octets, root) == b"one\r\ntwo\r\n"


def test_a_tree_with_everything_around_it():
    """Preamble and epilogue belong to nobody; each body ends before the line end of its delimiter."""
    octets = HEAD + multipart(
        b"outer", b"\r\none",
        multipart(b"inner", b"\r\n", b"Content-Type: text/html\r\n\r\ntwo\r\n", epilogue=b"\r\nx"),
        preamble=b"This is MIME.\r\n--outer2\r\n", epilogue=b"\r\nBye\r\n--outer\r\nlate\r\n",
    )
    structure = scan(octets)
    assert shape(structure.root) == (
        "multipart/mixed", (("text/plain", ()), ("multipart/mixed", (("text/plain", ()), ("text/html", ()))))
    )
    assert [body(octets, leaf) for leaf in leaves(structure.root)] == [b"one", b"", b"two\r\n"]
    assert structure.flaws == ()


def test_boundaries_are_whole_lines():
    """MessageBoundary does not match MessageBoundary2, nor n1 n10 or n100; white space after a boundary is padding."""
    octets = HEAD + multipart(
        b"n1", b"\r\n--n10\r\n--n100\r\n --n1\r\n--n1x--\r\n--N1", multipart(b"n10", b"\r\n--n1 0\r\n\r\n--n100--")
    ).replace(b"\r\n--n1\r\nContent", b"\r\n--n1 \t \r\nContent")
    first, second = scan(octets).root.children
    assert body(octets, first) == b"--n10\r\n--n100\r\n --n1\r\n--n1x--\r\n--N1"
    assert body(octets, second.children[0]) == b"--n1 0\r\n\r\n--n100--"


def test_a_boundary_may_end_in_hyphens():
    """`--b--` opens a part when the boundary itself is `b--`."""
    octets = HEAD + multipart(b"b--", b"\r\none", b"\r\ntwo")
    assert [body(octets, part) for part in scan(octets).root.children] == [b"one", b"two"]


@pytest.mark.parametrize("parameter", [b'boundary="\xe9 x"', b"boundary*=iso-8859-1''%E9%20x; boundary=\"\xe9 x\"",
                                       b"boundary*0=\"\xe9\"; boundary*1=\" x\"; boundary=\"\xe9 x\""])
def test_8bit_boundaries(parameter):
    """A boundary is compared octet for octet, whatever charset it might be in."""
    octets = b"Content-Type: multipart/mixed; " + parameter + b"\r\n\r\n--\xe9 x\r\n\r\none\r\n--\xe9 x--"
    assert [body(octets, part) for part in scan(octets).root.children] == [b"one"]


def test_missing_close_delimiter():
    """The end of the data closes what is open, and nothing is wrong with that."""
    octets = HEAD + multipart(b"b", b"\r\none", multipart(b"c", b"\r\ntwo", close=False), close=False)
    structure = scan(octets)
    assert [body(octets, leaf) for leaf in leaves(structure.root)] == [b"one", b"two"]
    assert not structure.malformed


def test_parents_boundary_ends_an_unterminated_child():
    """A parent's delimiter counts inside a child that never ended, enclosed messages included."""
    inner = multipart(b"inner", b"\r\none", b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ntwo", close=False)
    octets = HEAD + multipart(b"outer", inner, b"\r\nthree")
    structure = scan(octets)
    assert shape(structure.root) == (
        "multipart/mixed",
        (("multipart/mixed", (("text/plain", ()), ("message/rfc822", (("text/plain", ()),)))), ("text/plain", ())),
    )
    assert body(octets, structure.root.children[1]) == b"three"
    assert body(octets, find_part(structure.root, (1, 2, 1))) == b"two"


def test_the_same_boundary_twice():
    """A child that repeats its parent's boundary takes the delimiters until it is closed; then the parent has them."""
    octets = HEAD + multipart(b"b", multipart(b"b", b"\r\none"), b"\r\ntwo")
    structure = scan(octets)
    assert shape(structure.root) == (
        "multipart/mixed", (("multipart/mixed", (("text/plain", ()),)), ("text/plain", ()))
    )


def test_part_without_a_blank_line():
    """A header that runs into a delimiter is a part with no body."""
    octets = HEAD + multipart(b"b", b"Content-Type: image/png", b"", b"\r\nthree")
    parts = scan(octets).root.children
    assert [part.media_type for part in parts] == ["image/png", "text/plain", "text/plain"]
    assert [body(octets, part) for part in parts] == [b"", b"", b"three"]


def test_a_header_whose_blank_line_is_the_delimiters():
    """An enclosed message that is only a header keeps its blank line; all offsets stay nested."""
    octets = HEAD + multipart(b"b", b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n", b"\r\ntwo")
    structure = scan(octets)
    check_tree(octets, structure)
    enclosed, second = structure.root.children
    assert (body(octets, enclosed), body(octets, enclosed.children[0])) == (b"Subject: x\r\n\r\n", b"")
    assert body(octets, second) == b"two"


def test_an_enclosed_message_without_a_body():
    """A message/rfc822 whose header runs into a delimiter encloses an empty message: it always has one child."""
    octets = HEAD + multipart(b"b", b"Content-Type: message/rfc822", b"\r\ntwo")
    structure = scan(octets)
    check_tree(octets, structure)
    assert shape(structure.root.children[0]) == ("message/rfc822", (("text/plain", ()),))
    assert body(octets, structure.root.children[0].children[0]) == b""
    assert body(octets, structure.root.children[1]) == b"two"


def test_digest_parts_are_messages():
    """Without a Content-Type a part of multipart/digest is a message (RFC 2046 5.1.5)."""
    octets = HEAD + multipart(b"b", b"\r\nSubject: one\r\n\r\nbody", subtype=b"digest")
    part = scan(octets).root.children[0]
    assert part.media_type == "message/rfc822"
    assert body(octets, part.children[0]) == b"body"


def test_bare_line_feeds():
    """Lines that end in LF alone are lines; no octet is lost."""
    octets = (HEAD + multipart(b"b", b"Content-Type: text/html\r\n\r\none", b"\r\ntwo")).replace(b"\r\n", b"\n")
    assert [(p.media_type, body(octets, p)) for p in scan(octets).root.children] == [
        ("text/html", b"one"), ("text/plain", b"two")
    ]


def test_binary_part_keeps_every_octet():
    """Bare CR, LF and long lines in a binary body are content: the vector's part is 4796 octets."""
    octets = (VECTORS[0].parent / "vpim_in_binary.eml").read_bytes()
    assert [part.size for part in leaves(scan(octets).root)] == [4796]


@pytest.mark.parametrize(("octets", "flaw"), [
    (b"", "no header"),
    (b"\r\nbody", "no header"),
    (b"no colon at all\r\n\r\nbody", "no header"),
    (b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--", "a multipart without a boundary parameter"),
    (b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx", "a multipart without a boundary parameter"),
    (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--c\r\n\r\nx", "a multipart whose boundary never occurs"),
    (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--", "a multipart whose boundary never occurs"),
    (b"Content-Type: ;;=audio/wav\r\n\r\nx", "a Content-Type that cannot be read"),
    (b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\nx", "two Content-Type fields in one header"),
])
def test_flaws_have_names(octets, flaw):
    """What is wrong is said in words; the message is one part of text, or what its first Content-Type says."""
    structure = scan(octets)
    assert (structure.malformed, structure.flaws) == (True, (flaw,))
    assert structure.root.children == ()
    assert structure.root.media_type in ("text/plain", "a/b")
    assert not structure.beyond_limits


def test_first_content_type_counts():
    """A second Content-Type cannot smuggle another category in."""
    assert scan(b"Content-Type: text/plain\r\ncontent-type: audio/wav\r\n\r\nx").root.media_type == "text/plain"


def beyond(octets):
    structure = scan(octets)
    check_tree(octets, structure)
    assert structure.beyond_limits and structure.malformed
    return structure


def depth(part):
    return 1 + max((depth(child) for child in part.children), default=0)


@pytest.mark.parametrize("levels", [51, 1500, 20_000])
def test_multipart_depth(levels):
    """Fifty multiparts deep is the limit, however deep the nesting goes on."""
    octets = HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n" % (n, n) for n in range(levels)
    )
    assert depth(beyond(octets).root) == 51


def test_fifty_multiparts_are_allowed():
    """The limit itself is fine."""
    octets = b"\r\nx"
    for n in range(50):
        octets = multipart(b"n%d" % n, octets)
    structure = scan(HEAD + octets)
    assert (structure.flaws, depth(structure.root)) == ((), 51)


@pytest.mark.parametrize("levels", [21, 120, 20_000])
def test_message_depth(levels):
    """Twenty enclosed messages deep is the limit."""
    assert depth(beyond(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * levels).root) == 21


def test_part_count():
    """A thousand parts are read; the rest of the message is left alone."""
    octets = HEAD + multipart(b"b", *[b"\r\nx"] * 2000)
    assert len(list(walk(beyond(octets).root))) == 1000
    assert scan(HEAD + multipart(b"b", *[b"\r\nx"] * 999)).flaws == ()


def test_header_sizes():
    """A header over 256 KiB, a field over 64 KiB and a file name over 255 are beyond the limits, and still stored."""
    for field in (b"X-Long: " + b"x" * 70_000, b"\r\n".join([b"X: " + b"x" * 1000] * 300),
                  b"Content-Type: a/b; name=" + b"x" * 256, b"Content-Disposition: x; filename*=utf-8''" + b"x" * 256):
        octets = HEAD + field + b"\r\n\r\nbody"
        assert body(octets, beyond(octets).root) == b"body"
    assert not scan(HEAD + b"Content-Type: a/b; name=" + b"x" * 255 + b"\r\n\r\n").malformed


FLOODS = {
    "delimiter-like lines": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--c\r\n" * 100_000,
    "delimiters": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 100_000,
    "parts without blank lines": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: a/b\r\n" * 100_000,
    "parameters": HEAD + b"Content-Type: a/b" + b"".join(b";\r\n p%d=x" % n for n in range(10_000)) + b"\r\n\r\n",
    "a 5 MB field": HEAD + b"X: " + b"x" * 5_000_000 + b"\r\n\r\n",
    "5 MB of fields": HEAD + b"Content-X: y\r\n" * 400_000 + b"\r\n",
    "5 MB of broken fields": HEAD + b"Content-\r\n" * 500_000 + b"\r\n",
    "parentheses": HEAD + b"Content-Type: " + b"(" * 1_000_000 + b"\r\n\r\n",
    "quotes": HEAD + b"Content-Type: a/b; x=" + b'"\\' * 500_000 + b"\r\n\r\n",
    "blanks": HEAD + b"Content-Type: a/b;" + b" \t" * 500_000 + b"\r\n\r\n",
    "folds": HEAD + b"Content-Type: a/b;" + b"\r\n " * 500_000 + b"\r\n\r\n",
    "RFC 2231 pieces": HEAD + b"Content-Disposition: x"
    + b"".join(b"; filename*%d*=a%%20" % n for n in range(50_000)) + b"\r\n\r\n",
    "long delimiter-like lines": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b" * 1_000_000,
    "levels, then lines": HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n" % (n, n) for n in range(49)
    ) + b"--n\r\n" * 100_000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_end_soon(name):
    """Megabytes made to hurt are read in one pass: squared, any of these would take minutes."""
    check_tree(FLOODS[name], scan(FLOODS[name]))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_vectors_agree_with_the_standard_library(path):
    """On mail that the standard library can parse, types, order and bodies are the same as there."""
    octets = path.read_bytes()
    structure = scan(octets)
    check_tree(octets, structure)
    if structure.malformed:
        return
    theirs = standard_parts(octets)
    ours = list(walk(structure.root))
    assert [part.media_type for part in ours] == [part.get_content_type() for part in theirs]
    for our, their in zip(ours, theirs, strict=True):
        if not our.children and our.encoding != "binary" and our.type != "message":
            assert decoded(octets, our) == their.get_payload(decode=True)


def standard_parts(octets):
    """Its parts in our order; it takes message/delivery-status for parts with headers, we for one leaf."""
    found = []
    waiting = [email.message_from_bytes(octets)]
    while waiting:
        part = waiting.pop()
        found.append(part)
        if part.is_multipart() and part.get_content_type() not in REPORTS:
            waiting.extend(reversed(part.get_payload()))
    return found


leaf_bodies = st.binary(max_size=30).filter(lambda octets: b"-" not in octets)


@st.composite
def trees(draw, levels=3):
    """(entity octets, expected shape): well-formed MIME with unlikely bodies."""
    kind = draw(st.sampled_from(["leaf", "multipart", "message"] if levels else ["leaf"]))
    if kind == "leaf":
        content = draw(leaf_bodies)
        return b"Content-Type: application/x\r\n\r\n" + content, ("application/x", content)
    if kind == "message":
        inside, expected = draw(trees(levels=levels - 1))
        return b"Content-Type: message/rfc822\r\n\r\n" + inside, ("message/rfc822", [expected])
    children = draw(st.lists(trees(levels=levels - 1), min_size=1, max_size=3))
    octets = multipart(b"b%d" % levels, *[octets for octets, _ in children],
                       preamble=draw(leaf_bodies), epilogue=b"\r\n" + draw(leaf_bodies), close=draw(st.booleans()))
    return octets, ("multipart/mixed", [expected for _, expected in children])


def found(octets, part):
    if part.children:
        return part.media_type, [found(octets, child) for child in part.children]
    return part.media_type, body(octets, part)


def without_last_body(expected):
    """A multipart without a close swallows the epilogue into its last leaf: compare all but such bodies."""
    kind, inside = expected
    return kind, [without_last_body(child) for child in inside] if isinstance(inside, list) else None


@given(trees())
def test_any_tree_comes_back(tree):
    """Whatever is nested in what: the same tree, and each body octet for octet where its end is marked."""
    octets, expected = tree
    octets = HEAD + octets
    structure = scan(octets)
    check_tree(octets, structure)
    assert without_last_body(found(octets, structure.root)) == without_last_body(expected)
    assert structure.flaws == ()


@given(st.lists(leaf_bodies, min_size=1, max_size=6))
def test_bodies_come_back(bodies):
    """Parts cut out of a multipart are the octets that were put in."""
    octets = HEAD + multipart(b"xyz", *[b"\r\n" + content for content in bodies])
    assert [body(octets, part) for part in scan(octets).root.children] == bodies


@given(garbage)
def test_garbage_has_a_tree(octets):
    """Anything at all has a structure, with offsets in bounds, nested and in order; and twice the same one."""
    structure = scan(octets)
    check_tree(octets, structure)
    assert scan(octets) == structure


@given(garbage.filter(bool))
def test_a_mapped_file_reads_the_same(octets):
    """A message on disk is read in place with the same result, and the map can be closed after."""
    with tempfile.TemporaryFile() as file:
        file.write(octets)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert scan(mapped) == scan(octets)
        mapped.close()


LINES = [
    b"--b", b"--b--", b"--bb", b"--bb--", b"--c", b"--c--", b"--b  ", b"--b\t\r", b"--", b"----", b"", b"", b"\r",
    b"text",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: multipart/mixed; boundary=\"bb\"",
    b"Content-Type: multipart/digest; boundary=c", b"Content-Type: multipart/mixed;\r\n boundary=c",
    b"Content-Type: message/rfc822", b"Content-Type: text/html; charset=utf-8", b"Content-ID: <a@b>",
    b"Content-Type: audio/wav; name=a.wav", b"Content-Disposition: attachment; filename=\"a b.pdf\"",
    b"Content-Transfer-Encoding: BASE64",
    b"Subject: --b", b"Content-Type: multipart/x", b"Content-Type: nonsense", b"Content-Description: (a) b",
    b"--" + b"b" * 1024, b"--" + b"b" * 1025, b"Content-Type: multipart/mixed; boundary=" + b"b" * 1024,
]  # fmt: skip


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_vectors_as_line_by_line(path):
    """Every vector has the tree that a plain reader finds, who goes through it line by line."""
    octets = path.read_bytes()
    assert scan(octets) == model(octets)


@given(garbage)
def test_garbage_as_line_by_line(octets):
    """So has whatever else arrives."""
    assert scan(octets) == model(octets)


@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from([b"\r\n", b"\n"])), max_size=60))
def test_nested_lines_as_line_by_line(lines):
    """So do multiparts in multiparts and in messages, whatever their boundaries have in common; in files, too."""
    octets = b"".join(line + end for line, end in lines)
    expected = model(octets)
    assert scan(octets) == expected
    if octets:
        with tempfile.TemporaryFile() as file:
            file.write(octets)
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                assert scan(mapped) == expected
