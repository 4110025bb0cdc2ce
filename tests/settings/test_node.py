"""The node's file: defaults, every complaint at once with its line, and what `init` writes can be read back."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.settings.node import BadSettings, NodeSettings, ProxyFromTable, read_node, write_node

ROOT = pathlib.Path(__file__).parents[2]


def complaints(text, exists=None):
    with pytest.raises(BadSettings) as caught:
        read_node(text, "/x", exists)
    return [(c.line, c.words.split(":")[0]) for c in caught.value.complaints]


def test_an_empty_file_is_all_defaults():
    """Nothing has to be written down."""
    assert read_node("", "/x") == NodeSettings("/x")


def test_every_complaint_comes_at_once_with_its_line():
    """An administrator mends the file in one go."""
    text = '[listen]\nsmtp = "25"\nimap = 70000\n\n[nod]\n[log]\nformat = "xml"\nfiel = "-"\n'
    assert complaints(text) == [
        (2, "listen.smtp"),
        (3, "listen.imap"),
        (5, "no such table [nod]; there are [node], [paths], [listen], [proxy_from], [tls], [log], [threads]"),
        (7, "log.format"),
        (8, "[log] has no key 'fiel'; it has file, format"),
    ]


def test_broken_toml_names_the_line():
    """A slip of the pen is found where it is."""
    assert complaints("[node]\nhost_name = x y\n")[0][0] == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('\nlisten.smtp = "x"\n', 2),
        ('\nlisten = {smtp = "x"}\n', 2),
        ('\n[ "listen" ]\n"smtp" = "x"\n', 3),
        ('[log]\n\n[[listen]]\nsmtp = 1\n', 3),
        ('\n"listen" = 5\n', 2),
        ('[tls]\nkey = "a\\u0000b"\n', 2),
        ('\nnothing.of.ours = 1\n', 2),
    ],
)
def test_every_way_to_write_a_key_has_its_line(text, line):
    """TOML has many; the complaint points at the right one, whichever an administrator's tool chose."""
    assert [where for where, _ in complaints(text)] == [line]


def test_two_doors_cannot_share_a_port():
    """The second door on a port is the one complained of."""
    assert complaints("[listen]\nsmtp = 2525\nimap = 2525\n") == [(3, "listen.imap")]


def test_doors_that_are_off_share_port_zero():
    """Port 0 turns a door off, so any number may have it."""
    assert read_node("[listen]\nsmtp = 0\nimap = 0\n", "/x").listen.imap == 0


def test_missing_certificates_are_named():
    """The start says which file is missing."""
    assert [c for _, c in complaints("", lambda path: False)] == ["tls.certificate", "tls.key"]


def test_host_name_cannot_break_a_line():
    """A name with a line break or a space would end up in every Received field."""
    assert complaints('[node]\nhost_name = "a b"\n') == [(2, "node.host_name")]


def test_the_address_to_listen_on_is_an_address():
    """A slip in it is found by --check, not by the kernel."""
    assert complaints('[listen]\naddress = "127.0.0.256"\n') == [(2, "listen.address")]
    assert read_node('[listen]\naddress = "::1"\n', "/x").listen.address == "::1"


def test_what_init_writes_reads_back():
    """`init` writes every key; what it wrote means the same when read."""
    text = write_node({"listen": {"smtp": 2525}, "node": {"host_name": "vm1.example.com"}})
    settings = read_node(text, "/x")
    assert (settings.listen.smtp, settings.node.host_name, settings.listen.imap) == (2525, "vm1.example.com", 143)


def test_lists_read_back():
    """Load balancers are a list a door; what `write_node` writes of it means the same when read."""
    table = {"smtp": ("192.0.2.7", "10.0.0.0/24"), "imaps": ["2001:db8::/32"]}
    settings = read_node(write_node({"proxy_from": table}), "/x")
    assert settings.proxy_from == ProxyFromTable(smtp=("192.0.2.7", "10.0.0.0/24"), imaps=("2001:db8::/32",))
    assert read_node("", "/x").proxy_from == ProxyFromTable((), (), (), (), ())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"10.0.0.1"', "should be a list of addresses in quotes"),
        ("[10]", "should be a list of addresses in quotes"),
        ('["10.0.0.300"]', "'10.0.0.300' is neither an IP address nor a block"),
        ('["10.0.0.1", "balancer.example.com"]', "'balancer.example.com' is neither"),
        ('["*"]', "'*' is neither"),
        ('["10.1.*.*"]', "'10.1.*.*' is neither"),
        ('["10.0.0.1/8"]', "did you mean 10.0.0.0/8?"),
        ('["fe80::1%eth0"]', "has a zone"),
        ('["10.0.0.0/33"]', "is neither"),
    ],
)
def test_balancers_are_written_out(value, words):
    """Who may say of others who they are is an address or a block; a slip is found with its line."""
    with pytest.raises(BadSettings) as caught:
        read_node(f"[log]\n[proxy_from]\nimap = []\nsmtp = {value}\n", "/x")
    [complaint] = caught.value.complaints
    assert (complaint.line, complaint.words.partition(":")[0]) == (4, "proxy_from.smtp")
    assert words in complaint.words


def test_the_documented_file_is_what_the_code_knows():
    """etc/unitymail.toml holds every setting with its default and its meaning."""
    assert (ROOT / "etc/unitymail.toml").read_text() == write_node({})


@given(st.text(max_size=200))
def test_garbage_never_crashes(text):
    """Whatever the file holds, the answer is settings or complaints."""
    try:
        read_node(text, "/x")
    except BadSettings as bad:
        assert bad.complaints
