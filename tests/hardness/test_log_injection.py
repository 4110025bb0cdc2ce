"""Log injection: lines that an attacker writes into the journal, or that speak to the terminal of who reads it.

Related: CVE-2021-44228's class (what is logged is only ever text), CVE-2003-0063 and CVE-2021-40147 (escape sequences
that a terminal obeys), CVE-2021-42574 (text that is turned around). Words of strangers go through each event of the
journal, as text and as JSON, through real SMTP and IMAP sessions, and through all that the command line shows.
"""

import json
from base64 import b64encode

import pytest

from tests.admin.small_desk import CommandLine
from tests.hardness.nasty import ENDS_A_LINE, SPEAKS_TO_A_TERMINAL, WORDS
from tests.imap.conversation import House
from tests.smtp.conversation import Conversation
from unitymail.admin.cli import output
from unitymail.journal.wording import LONGEST_VALUE, as_json, as_text
from unitymail.mail.reply import Reply
from unitymail.people.access import AccessRule

HERE = (AccessRule("127.0.0.1", allow=True),)
ALL = "".join(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_every_value_is_one_line(word):
    """Whatever a value holds, its event is one line of printable text, and of JSON that gives the value back."""
    text = as_text(0, "info", "event", {"from": word, "helo": word})
    assert text.endswith("\n") and not ENDS_A_LINE.search(text[:-1]) and not SPEAKS_TO_A_TERMINAL.search(text[:-1])
    line = as_json(0, "info", "event", {"from": word})
    assert line.isascii() and line.count("\n") == 1
    assert not SPEAKS_TO_A_TERMINAL.search(line[:-1])
    assert json.loads(line)["from"] == (word if len(word) <= LONGEST_VALUE else word[:LONGEST_VALUE] + "…")


def test_huge_values_are_cut():
    """A megabyte of somebody's subject is a short line of text."""
    for render in (as_text, as_json):
        line = render(0, "info", "event", {"subject": "x" * 1_000_000, "to": "\x1b" * 1_000_000})
        assert len(line) < 12 * LONGEST_VALUE


@pytest.mark.parametrize("word", WORDS)
def test_no_value_forges_another(word):
    """`to=x from=y` as a value cannot be taken for two: what has a blank, a quote or an equals sign is quoted."""
    text = as_text(0, "info", "event", {"helo": f"x from={word} y"})
    assert " helo=\"" in text and " from=" not in text.split(' helo="')[0]


@pytest.fixture
def unitymail(tmp_path):
    line = CommandLine(str(tmp_path / "directory.sqlite"))
    yield line
    line.desk.close()


def said(lines):
    for line in lines:
        assert line.endswith("\n") and not ENDS_A_LINE.search(line[:-1]), line
        assert not SPEAKS_TO_A_TERMINAL.search(line[:-1]), line
    return lines


def events(conversation):
    """Each event that the recording journal of a test heard, as the real one writes it in text."""
    return [
        as_text(0, "info", event.event, {str(at): str(value) for at, value in enumerate(event.args)})
        for event in conversation.journal.events
    ]


@pytest.mark.parametrize("word", [word for word in WORDS if word.isprintable() or len(word) < 100])
def test_smtp_sessions(word):
    """HELO names, addresses, sign-in names and messages of a stranger: clean replies, clean lines."""
    client = Conversation(ip="127.0.0.1", access=HERE).greeted()
    octets = word.encode("utf-8", "surrogatepass")
    for before, after in ((b"EHLO ", b""), (b"MAIL FROM:<", b"@x>"), (b"VRFY ", b""), (b"AUTH ", b""), (b"", b"")):
        reply = client.send(before + octets + after + b"\r\n")
        assert all(line.isprintable() for line in reply.split("\r\n")), reply
    client.send(b"AUTH PLAIN " + b64encode(b"\0" + octets + b"\0" + octets) + b"\r\n")
    client.send(b"MAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\nDATA\r\n")
    client.send(b"From: " + octets + b"\r\nSubject: " + octets + b"\r\n\r\n.\r\n")
    client.hang_up()
    said(events(client))


@pytest.mark.parametrize("word", [word for word in WORDS if len(word) < 100])
def test_imap_sessions(word):
    """Tags, names, passwords and identities of a stranger: nothing of them in a line of its own."""
    house = House()
    client = house.connect()
    octets = word.encode("utf-8", "surrogatepass")
    literal = b"{%d+}\r\n" % len(octets) + octets
    for command in (b"LOGIN " + literal + b" x", b"ID (\"name\" " + literal + b")", b"BOGUS " + octets.replace(b"\n",
    b""),
                    b"SELECT " + literal):
        client.send(b"a " + command + b"\r\n")
        house.clock.advance(0)
    client.leave()
    assert house.journal.named("trouble") == []
    said(events(house))


@pytest.mark.parametrize("word", WORDS)
def test_tables(word, capsys):
    """A cell is one line, on a terminal and in a file, and tells the terminal nothing."""
    output.show_table([{"alias": word, "display_name": word}], ("alias", "display_name"))
    shown = capsys.readouterr().out
    assert shown.count("\n") == 2 and not SPEAKS_TO_A_TERMINAL.search(shown.replace("\n", ""))


@pytest.mark.parametrize("word", WORDS)
def test_facts(word, capsys):
    """A field that holds line ends goes on further in: it begins no field of its own."""
    output.show_facts({"subject": word, "sender": "x"})
    lines = capsys.readouterr().out.split("\n")
    assert [line.split(" ")[0] for line in lines if line[:1] not in ("", " ")] == ["subject", "sender"]
    assert not any(SPEAKS_TO_A_TERMINAL.search(line) for line in lines)


@pytest.mark.parametrize("word", WORDS)
def test_json_for_programs(word, capsys):
    """JSON gives the value back, and may be looked at on a terminal."""
    output.show_json([{"subject": word}])
    shown = capsys.readouterr().out
    assert json.loads(shown) == [{"subject": word}]
    assert not SPEAKS_TO_A_TERMINAL.search(shown.replace("\n", "")) and not ENDS_A_LINE.search(shown.replace("\n", ""))


def test_letters_of_all_scripts_stay_readable(capsys):
    """Only what speaks to the terminal is escaped."""
    output.show_json({"name": "Zoë Grüße 日本語 שלום"})
    assert "Zoë Grüße 日本語 שלום" in capsys.readouterr().out


@pytest.mark.parametrize("words", [
    ("user", "show", "\x1b[2Jrobin"), ("user", "add", "a\x1b[2J", "--password-stdin"), ("trace", "\x9b2J"), ("trace",
    "--from", "\u202ex@y"),
    ("site", "set", "\x1b[2J=1"), ("site", "set", "subject.user=\x1b[2J"), ("access", "add", "\x1b[2J", "--allow"),
    ("list", "show", "\x85x"), ("user", "add", "robin", "--display-name", "Robin\r\nevil", "--password-stdin"),
])
def test_refusals(unitymail, words):
    """What is refused is named in words that a terminal shows, and does not obey."""
    result = unitymail.run(*words, input="tulips at noon\n")
    assert result.exit_code in (1, 2)
    assert not SPEAKS_TO_A_TERMINAL.search((result.stdout + result.stderr).replace("\n", ""))


def test_bad_rows_of_a_file(unitymail, tmp_path):
    """A CSV file that somebody sent is told about in clean lines, one for each bad row."""
    file = tmp_path / "users.csv"
    rows = b"\x1b[2Ja,x,tulips at noon\r\n\"b\r\nline 9: c\",x,tulips at noon\r\n"
    file.write_bytes(b"alias,display_name,password\r\n" + rows)
    result = unitymail.run("import", "users", str(file))
    assert result.exit_code == 1
    assert not SPEAKS_TO_A_TERMINAL.search(result.stderr.replace("\n", ""))
    assert not any(line.startswith("line 9") for line in result.stderr.splitlines())


def test_replies():
    """A reply that quotes somebody is printable ASCII, whatever it quotes."""
    assert Reply(550, "", f"x{ALL}y").octets().replace(b"\r\n", b"").isascii()
    lines = Reply(550, "5.1.1", f"<{ALL}> is nobody").octets().split(b"\r\n")
    assert lines.pop() == b"" and all(line.decode().isprintable() and line.startswith(b"550") for line in lines)
