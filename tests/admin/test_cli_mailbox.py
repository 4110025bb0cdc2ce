"""`unitymail mailbox`: folders, sizes, mail in and out."""

import json
import mailbox as stdlib
import sqlite3
import time

import pytest
from click.testing import CliRunner

from tests.store.takeover.other import courier, dovecot
from unitymail.admin.cli.main import command_line
from unitymail.ctl import NodeDesk
from unitymail.disk import Disk
from unitymail.founding import Plan, found
from unitymail.store import Store

SECURE = (
    b"Return-Path: <a@example.com>\r\nX-Unitymail-Trace: id=abc; category=voice; sensitivity=normal; secure=yes;"
    b" sender=u1\r\nSubject: secret\r\n\r\nsecret-contents\r\n"
)


@pytest.fixture
def ask(tmp_path):
    """Run a command on a fresh demo node; its JSON."""
    found(Plan(str(tmp_path / "node"), "vm1.example.com", "localhost", demo=True))
    config = str(tmp_path / "node" / "unitymail.toml")

    def run(*words, code=0, answers=False):
        done = CliRunner().invoke(command_line(NodeDesk), ["-c", config, "--json", *words])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 or answers else done.stderr

    return run


def maildir_of(path, *letters):
    box = stdlib.Maildir(path)
    for letter in letters:
        message = stdlib.MaildirMessage(letter.replace(b"\r\n", b"\n"))
        message.add_flag("S")
        box.add(message)
    return str(path)


LETTERS = [f"Message-ID: <{n}@example.com>\r\nSubject: {n}\r\n\r\nx\r\n".encode() for n in range(3)]


def test_a_fresh_mailbox_has_its_special_folders(ask):
    """`list` shows all folders, INBOX first."""
    rows = ask("mailbox", "list", "chris")
    assert [row["name"] for row in rows] == ["INBOX", "Archive", "Deleted Items", "Drafts", "Junk", "Sent"]
    assert rows[2]["special_use"] == "\\Trash"


def test_an_import_can_be_run_again(ask, tmp_path):
    """What is there already is left out; flags come along."""
    path = maildir_of(tmp_path / "old", *LETTERS)
    first = ask("mailbox", "import", "chris", path, "--format", "maildir")
    again = ask("mailbox", "import", "chris", path, "--format", "maildir")
    assert (first["taken"], again["taken"], again["known"]) == (3, 0, 3)
    facts = ask("mailbox", "stat", "chris")
    assert (facts["messages"], facts["unseen"], facts["full"]) == (3, 0, False)


def test_out_as_mbox(ask, tmp_path):
    """What goes out is what came in."""
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    ask("mailbox", "export", "chris", str(tmp_path / "out.mbox"), "--format", "mbox")
    box = stdlib.mbox(tmp_path / "out.mbox", create=False)
    assert sorted(message["Subject"] for message in box) == ["0", "1", "2"]
    box.close()


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_secure_messages_stay_here_unless_asked_for(ask, tmp_path, kind):
    """Of them an export takes the headers and says so; `--include-secure` takes all."""
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", SECURE, *LETTERS), "--format", "maildir")
    facts = ask("mailbox", "export", "chris", str(tmp_path / "one"), "--format", kind, "--folder", "INBOX")
    assert (facts["taken"], facts["withheld"]) == (4, 1)
    assert b"secret-contents" not in b"".join(file.read_bytes() for file in _files(tmp_path / "one"))
    words = ("mailbox", "export", "chris", str(tmp_path / "two"), "--format", kind, "--folder", "INBOX")
    facts = ask(*words, "--include-secure")
    assert (facts["taken"], facts["withheld"]) == (4, 0)
    assert b"secret-contents" in b"".join(file.read_bytes() for file in _files(tmp_path / "two"))


def _files(path):
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def test_reindex_keeps_what_clients_know(ask, tmp_path):
    """UIDs and flags are the same afterwards."""
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    before = ask("mailbox", "list", "chris")
    assert ask("mailbox", "reindex", "chris")["messages"] == 3
    assert ask("mailbox", "list", "chris") == before


def test_refusals_say_what_to_do(ask, tmp_path):
    """An unknown user, an unknown folder: exit code 1 and a sentence."""
    assert "`unitymail user list`" in ask("mailbox", "list", "nobody", code=1)
    words = ("mailbox", "export", "chris", str(tmp_path / "x"), "--format", "mbox", "--folder", "No")
    assert "`unitymail mailbox list`" in ask(*words, code=1)


def test_what_is_no_mail(ask, tmp_path):
    """Another kind of file or folder is refused with what it should be, not told as an import of nothing."""
    empty, half, note, blank = (tmp_path / name for name in ("empty", "half", "note", "blank"))
    empty.mkdir()
    (half / "cur").mkdir(parents=True)
    note.write_text("Dear diary,\nFrom here on all is well.\n")
    blank.write_text("\n")
    for path, kind, why in (
        (empty, "maildir", "it has no folder cur. Name the folder that holds cur and new."),
        (half, "maildir", "it has no folder new."),
        (note, "maildir", "it has no folder cur."),
        (empty, "mbox", "say --format maildir"),
        (note, "mbox", "is no mbox file: it does not begin with a line “From …”."),
    ):
        assert why in ask("mailbox", "import", "chris", str(path), "--format", kind, code=1)
    assert ask("mailbox", "stat", "chris")["messages"] == 0
    assert ask("mailbox", "import", "chris", str(blank), "--format", "mbox")["taken"] == 0
    blank.write_text("\r\n\nFrom a@b Wed Nov 25 23:20:23 2026\nSubject: x\n\ny\n")
    assert ask("mailbox", "import", "chris", str(blank), "--format", "mbox")["taken"] == 1


def test_a_dovecot_maildir_is_taken_over(ask, tmp_path):
    """UIDs, flags, keywords, folders and subscriptions are kept; a dry run says the same and changes nothing."""
    box = dovecot(tmp_path / "Maildir")
    words = ("mailbox", "import", "chris", box.path, "--in-place")
    dry = ask(*words, "--dry-run")
    assert (dry["dry_run"], dry["taken"]) == (True, 6)
    assert ask("mailbox", "stat", "chris")["messages"] == 0
    facts = ask(*words)
    assert facts == {**dry, "dry_run": False}
    rows = {row["name"]: row for row in ask("mailbox", "list", "chris")}
    assert (rows["INBOX"]["messages"], rows["INBOX"]["uidvalidity"], rows["INBOX"]["uidnext"]) == (4, 1500000000, 11)
    assert rows["Work/Süb"]["messages"] == 1 and rows["Work/Süb"]["subscribed"]
    again = ask(*words)
    assert (again["taken"], again["known"]) == (0, 6)


def test_what_is_brought_in_counts_at_once(ask, tmp_path):
    """A node that starts later knows how full the mailbox is before anybody opens it; a dry run counts nothing."""
    usage = tmp_path / "node" / "accounts" / "usage"
    words = ("mailbox", "import", "chris", dovecot(tmp_path / "Maildir").path, "--in-place")
    ask(*words, "--dry-run")
    assert not usage.exists()
    ask(*words)
    octets = ask("mailbox", "stat", "chris")["size"]
    assert usage.read_text() == f"{octets} {ask('user', 'show', 'chris')['id']}\n"
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    assert int(usage.read_text().split()[0]) == ask("mailbox", "stat", "chris")["size"] > octets


def test_a_maildir_in_the_mailbox_itself_is_taken_over(ask, tmp_path):
    """Without PATH it is the one that lies in the folder of the mailbox; another mailbox is not touched."""
    assert "it has no folder cur" in ask("mailbox", "import", "chris", "--in-place", code=1)
    courier(tmp_path / "node" / "accounts" / ask("user", "show", "chris")["id"])
    assert ask("mailbox", "import", "chris", "--in-place", "--format", "maildir")["taken"] == 3
    assert ask("mailbox", "stat", "robin")["messages"] == 0


def test_how_a_take_over_is_asked_for(ask, tmp_path):
    """What does not go together is wrong usage, said in a sentence."""
    box = dovecot(tmp_path / "Maildir")
    for words, why in (
        ((box.path, "--in-place", "--folder", "Old"), "no --folder"),
        ((box.path, "--in-place", "--format", "mbox"), "no mbox"),
        ((box.path, "--dry-run", "--format", "maildir"), "--in-place"),
        ((box.path,), "--format"),
        ((), "PATH"),
    ):
        assert why in ask("mailbox", "import", "chris", *words, code=2)
    assert "is no Maildir" in ask("mailbox", "import", "chris", str(tmp_path), "--in-place", code=1)


def test_a_take_over_in_words(tmp_path, ask):
    """A table of folders, what came in one sentence, and why UIDs are not kept where they are not."""
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    box = dovecot(tmp_path / "Maildir")
    config = str(tmp_path / "node" / "unitymail.toml")
    words = ["-c", config, "mailbox", "import", "chris", box.path, "--in-place"]
    said = CliRunner().invoke(command_line(NodeDesk), words).output
    assert "6 messages taken over into chris; 0 were there." in said and "Subscribed: Gone, Work, Work/Süb." in said
    assert "INBOX: UIDs are not kept: clients have seen this folder here, with UIDs of its own." in said


def test_a_check_finds_and_a_repair_mends(ask, tmp_path):
    """Exit code 1 while anything is left; what is found has a kind, a folder and a sentence."""
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    assert ask("mailbox", "check", "chris") == {"alias": "chris", "sound": True, "messages": 3, "findings": []}
    path = tmp_path / "node" / "accounts" / ask("user", "show", "chris")["id"] / "unitymail.index"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE folders SET messages = 9 WHERE name = 'INBOX'")
    connection.close()
    told = ask("mailbox", "check", "chris", code=1, answers=True)
    assert [(one["kind"], one["folder"], one["mended"]) for one in told["findings"]] == [("totals", "INBOX", False)]
    done = ask("mailbox", "check", "chris", "--repair")
    assert done["sound"] and done["findings"][0]["mended"]
    assert ask("mailbox", "check", "chris", "--quick")["findings"] == []


def test_all_mailboxes_are_checked(ask):
    """`--all` in the place of the alias; both, or none, is wrong usage."""
    assert [facts["alias"] for facts in ask("mailbox", "check", "--all")] == ["chris", "robin"]
    assert "--all" in ask("mailbox", "check", code=2) and "--all" in ask("mailbox", "check", "chris", "--all", code=2)


def test_a_check_in_words(ask, tmp_path):
    """A table of what was found, and one sentence of what is left."""
    words = ["-c", str(tmp_path / "node" / "unitymail.toml"), "mailbox", "check", "chris"]
    ask("mailbox", "list", "chris")
    assert "Checked 0 messages of chris: nothing is wrong." in CliRunner().invoke(command_line(NodeDesk), words).output
    home = tmp_path / "node" / "accounts" / ask("user", "show", "chris")["id"]
    home.chmod(0o755)
    done = CliRunner().invoke(command_line(NodeDesk), words)
    assert done.exit_code == 1 and "other users of this machine" in done.output
    assert "1 of 1 problems left. With --repair they are mended as far as possible." in done.output
    done = CliRunner().invoke(command_line(NodeDesk), [*words, "--repair"])
    assert done.exit_code == 0 and "1 problem was mended." in done.output


@pytest.fixture
def emptied(ask, tmp_path):
    """Chris has expunged three messages of INBOX."""
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    id = ask("user", "show", "chris")["id"]
    store = Store(str(tmp_path / "node" / "accounts"), disk=Disk(), now=time.time, host="localhost")
    inbox = store.account(id).folder("INBOX")
    inbox.store(inbox.refresh().uids, "add", ["\\Deleted"])
    inbox.expunge()
    store.close()
    return ask


def test_what_can_come_back(emptied):
    """`undelete --list` shows it with its header, the newest first, and changes nothing."""
    rows = emptied("mailbox", "undelete", "chris", "--list")
    assert [(row["folder"], row["subject"], row["size"]) for row in rows] == [
        ("INBOX", subject, len(LETTERS[int(subject)])) for subject in "210"
    ]
    assert emptied("mailbox", "undelete", "chris", "--list", "--folder", "Sent") == []
    assert emptied("mailbox", "undelete", "chris", "--list", "--since", "2100-01-01") == []
    assert emptied("mailbox", "undelete", "chris", "--list") == rows


def test_some_come_back(emptied):
    """Those that are named; another time they are not there any more."""
    ids = [row["id"] for row in emptied("mailbox", "undelete", "chris", "--list", "--since", "1h")]
    done = emptied("mailbox", "undelete", "chris", str(ids[0]), str(ids[2]))
    assert done == {"alias": "chris", "undeleted": 2, "gone": 0, "folders": ["INBOX"]}
    assert emptied("mailbox", "stat", "chris")["messages"] == 2
    refusal = emptied("mailbox", "undelete", "chris", str(ids[0]), str(ids[1]), code=1)
    assert f"id {ids[0]}," in refusal and "--list" in refusal
    assert emptied("mailbox", "stat", "chris")["messages"] == 2
    assert emptied("mailbox", "undelete", "chris", "--all")["undeleted"] == 1
    assert emptied("mailbox", "undelete", "chris", "--all")["undeleted"] == 0


def test_undelete_wants_to_know_what(emptied):
    """Nothing comes back because nothing was said; a time that is none is wrong usage."""
    for words in ((), ("--all", "1"), ("--since", "soon"), ("0",)):
        assert "Usage" in emptied("mailbox", "undelete", "chris", *words, code=2)


def test_how_full_a_mailbox_is(ask, tmp_path):
    """Its user's page and `stat` say it against the quotas; looking makes no mailbox of one that nobody used."""
    page = ask("user", "show", "chris")
    assert page["mailbox"] == {"messages": 0, "size": 0, "reached": "room"}
    assert not (tmp_path / "node" / "accounts" / page["id"]).exists()
    ask("mailbox", "import", "chris", maildir_of(tmp_path / "old", *LETTERS), "--format", "maildir")
    size = ask("mailbox", "stat", "chris")["size"]
    for limits, reached in (
        (f"warning={size},send={size + 1},receive=0", "warning"), (f"send={size}", "send"),
        (f"receive={size}", "receive"), ("warning=0,send=0,receive=0", "room"),
    ):  # fmt: skip
        ask("user", "set", "chris", "--quota", limits)
        stat, page = ask("mailbox", "stat", "chris"), ask("user", "show", "chris")
        assert (stat["reached"], stat["full"]) == (reached, reached == "receive")
        assert page["mailbox"] == {"messages": 3, "size": size, "reached": reached}
