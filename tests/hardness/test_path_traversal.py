"""Path traversal and temporary files: CVE-2021-40525 and CVE-2022-45935 (James), CVE-2025-59031 (Dovecot, symlinks).

Aliases, ids of accounts, mailbox names, trace ids and names of files that others choose: none of them reaches a path
outside its place. Links that somebody put into a Maildir, or where something is about to be written, are not
followed; what is written is nobody else's to read.
"""

import os
import stat
from pathlib import Path

import pytest

from tests.admin.small_desk import CommandLine
from tests.hardness.nasty import WORDS
from tests.store.house import House
from unitymail.disk import Disk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import Busy
from unitymail.interfaces.store import BadFolderName
from unitymail.mail.part import LONGEST_FILE_NAME
from unitymail.mail.structure import leaves, scan
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.desk import QueueDesk
from unitymail.spool.places import is_trace, maildir_name
from unitymail.store import names, subscriptions
from unitymail.store.exchange import export_maildir, export_mbox, import_maildir
from unitymail.store.letters import letters_in
from unitymail.store.takeover import take_over
from unitymail.store.validity import last_in

CLIMBING = (
    "..", ".", "../x", "../../etc/passwd", "/etc/passwd", "a/../../x", "a/./b", "..\\..\\x", "x/", "//x", "\0", "a\0b",
    "%2e%2e/x", "&AC4-&AC4-", "&AC4-&AC4-&AC8-x", "~", "~root", "-rf", ".hidden", "x" * 300, "\u2024\u2024/x",
    "\uff0e\uff0e/x",
    "CON", "a:b", "a\nb",
)  # fmt: skip
SECRET = b"Subject: of somebody else\r\n\r\nsecret\r\n"


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "house")
    yield house
    house.close()


def everything_below(path, but=None):
    """All there is below a directory, what is below another one apart."""
    found = {str(one) for one in Path(path).rglob("*")}
    return found if but is None else {one for one in found if not one.startswith(f"{but}/")}


@pytest.mark.parametrize("id", [*CLIMBING, ""])
def test_account_ids(house, tmp_path, id):
    """An id that could name another place is refused; what is made for one lies directly below the accounts."""
    source = house.write(b"Subject: x\r\n\r\n")
    before = everything_below(tmp_path, but=house.root)
    try:
        house.store.deliver(id, source, "1.x.test,S=14")
    except Never:
        assert everything_below(tmp_path, but=house.root) == before
        return
    assert "/" not in id and not id.startswith(".")
    assert [entry for entry in os.listdir(house.root) if entry == id] == [id]
    assert everything_below(tmp_path, but=house.root) == before


@pytest.mark.parametrize("name", [*CLIMBING, *(word for word in WORDS if len(word) < 300)])
def test_mailbox_names(house, tmp_path, name):
    """Whatever a client calls a mailbox, its directory is one of the account's, or the name is refused in words."""
    outside = everything_below(tmp_path, but=house.root)
    try:
        house.account.create(name)
    except (BadFolderName, Never):
        return
    except UnicodeEncodeError:
        pytest.fail("a name that is no text must be refused")
    assert everything_below(tmp_path, but=house.root) == outside
    made = [entry for entry in os.listdir(house.path()) if entry.startswith(".")]
    assert all("/" not in entry and entry not in (".", "..") and len(os.fsencode(entry)) <= 255 for entry in made)
    assert names.checked(name.removesuffix("/")) in {info.name for info in house.account.folders()}


def test_names_do_not_meet():
    """Two names that differ have two directories: nobody's mail lands in another's folder."""
    seen = {}
    for name in (*CLIMBING, "a.b", "a/b", "a&b", "a&-b", "v1.2", "v1/2", "~x", "x~"):
        try:
            name = names.checked(name)
        except BadFolderName:
            continue
        directory = names.directory_of(name)
        assert seen.setdefault(directory, name) == name
    assert len(seen) > 10


@pytest.mark.parametrize("text", [*CLIMBING, *WORDS, "abc.tmp", "-x", "x-"])
def test_trace_ids(text):
    """What is no trace names no file of the spool."""
    assert not is_trace(text) or (text.isascii() and text.replace("-", "a").isalnum() and not text.startswith("-"))


@pytest.mark.parametrize("word", [*CLIMBING, *WORDS])
def test_ids_on_the_command_line(tmp_path, word):
    """An id of the queue or of bad mail that climbs is not known, and nothing is read or written for it."""
    root = str(tmp_path / "spool")
    facts = {"disk": Disk(), "now": lambda: 1.0, "who": "tester"}
    queue, bad_mail = QueueDesk(root, **facts), BadMailFolder(root, **facts)
    before = everything_below(tmp_path)
    for ask in (queue.item, bad_mail.entry, bad_mail.requeue):
        with pytest.raises((Never, Busy)):
            ask(word)
    assert everything_below(tmp_path) == before


def test_aliases(tmp_path):
    """An alias never names a directory: accounts are called after ids that we make; what could climb is refused."""
    line = CommandLine(str(tmp_path / "directory.sqlite"))
    made = set()
    for alias in CLIMBING:
        result = line.run("user", "add", "--password-stdin", "--", alias, input="tulips at noon\n")
        assert result.exit_code in (0, 1, 2)
        if result.exit_code == 0:
            (shown,) = (user for user in line.json("user", "list") if user["alias"] == alias)
            assert shown["id"].replace("-", "").isalnum() and shown["id"] != alias
            made.add(alias)
    line.desk.close()
    assert not any(set(alias) & set("/\\\0\n ") or alias.startswith(".") for alias in made)


@pytest.mark.parametrize("host", CLIMBING)
def test_the_host_in_the_name_of_a_file(host):
    """Not even the node's own name can put a message elsewhere."""
    assert "/" not in maildir_name("0t", 1.0, host, 5)


@pytest.mark.parametrize("name", [*CLIMBING, *WORDS])
def test_names_of_attachments(name):
    """What a sender calls a file is a name without a path, if it is anything."""
    for header in (f'attachment; filename="{name}"', "attachment; filename*=utf-8''" + name.encode(
            "utf-8", "surrogatepass").hex("%").join(("%", ""))):
        octets = b"Content-Disposition: " + header.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")
        for part in leaves(scan(octets + b"\r\n\r\nx").root):
            assert not set(part.filename) & set("/\\\0\r\n") and len(part.filename) <= LONGEST_FILE_NAME


# Links


def test_a_link_is_no_message(house, tmp_path):
    """Who may put a file into a Maildir cannot read through it what only the node can read."""
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    house.deliver()
    os.symlink(secret, house.path("new", "2.link.test"))
    os.symlink(house.path(), house.path("new", "3.directory.test"))
    os.mkfifo(house.path("cur", "4.fifo.test:2,S"))
    assert len(house.inbox.refresh().uids) == 1


def test_a_message_that_becomes_a_link_is_gone(house, tmp_path):
    """Nor by changing the file after it was seen."""
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    (name,) = house.deliver()
    (uid,) = house.inbox.refresh().uids
    path = next(Path(house.path()).glob(f"*/{name}*"))
    for replace in (lambda: os.symlink(secret, path), lambda: os.mkfifo(path), lambda: path.mkdir()):
        path.unlink() if path.is_symlink() or path.is_file() or path.is_fifo() else None
        replace()
        content = house.inbox.content(uid)
        assert content is None or b"secret" not in bytes(content.buffer[:])


def test_an_import_follows_no_link(house, tmp_path):
    """A Maildir that a user brings is taken in by who can read everything: what its links name stays where it is."""
    secret = tmp_path / "elsewhere"
    for part in ("cur", "new", "tmp"):
        (secret / part).mkdir(parents=True)
        (tmp_path / "brought" / part).mkdir(parents=True)
    (secret / "cur" / "1.secret:2,").write_bytes(SECRET)
    (tmp_path / "brought" / "cur" / "2.mine:2,S").write_bytes(b"Subject: mine\n\nx\n")
    os.symlink(secret / "cur" / "1.secret:2,", tmp_path / "brought" / "cur" / "1.link:2,")
    os.symlink(secret, tmp_path / "brought" / ".Link")
    os.mkfifo(tmp_path / "brought" / "new" / "3.fifo")
    list(import_maildir(house.account, str(tmp_path / "brought")))
    assert [house.octets(house.inbox, uid) for uid in house.inbox.refresh().uids] == [b"Subject: mine\r\n\r\nx\r\n"]
    assert "Link" not in {info.name for info in house.account.folders()}


def test_an_import_follows_no_link_to_a_directory(house, tmp_path):
    """Neither where cur/ or new/ of a Maildir is one, however it is brought in."""
    secret = tmp_path / "elsewhere"
    brought = tmp_path / "brought"
    for part in ("cur", "new", "tmp"):
        (secret / part).mkdir(parents=True)
        (secret / part / "1.secret").write_bytes(SECRET)
    brought.mkdir()
    for part in ("cur", "new"):
        os.symlink(secret / part, brought / part)
    list(import_maildir(house.account, str(brought)))
    report = take_over(house.store, "u-robin", str(brought))
    assert not house.inbox.refresh().uids
    assert sum("is a link, which was not followed" in note for note in report.notes) == 2


def test_a_mailbox_is_not_taken_over_in_place_with_links(house, tmp_path):
    """From then on the node would work where they lead."""
    house.inbox.refresh()
    (tmp_path / "elsewhere").mkdir()
    os.makedirs(house.path(".Work", "new"))
    os.symlink(tmp_path / "elsewhere", house.path(".Work", "cur"))
    for dry_run in (True, False):
        with pytest.raises(OSError, match="a link stands for a directory of mail"):
            take_over(house.store, "u-robin", house.path(), dry_run=dry_run)


@pytest.mark.parametrize("place", ["courierimapkeywords", "courierimapkeywords/:list", "courierimapkeywords/1.mine"])
def test_keywords_are_read_through_no_link(house, tmp_path, place):
    """What only the administrator can read does not become the keyword of a user's message."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in (":list", "1.mine"):
        (hidden / name).write_bytes(b"root:$6$secret:19000:0:99999:7:::\n\n1.mine:0\n")
    brought = tmp_path / "brought"
    for part in ("cur", "new", "tmp", "courierimapkeywords"):
        (brought / part).mkdir(parents=True)
    (brought / "cur" / "1.mine:2,S").write_bytes(b"Subject: mine\n\nx\n")
    link = brought / place
    target = hidden if link.is_dir() else hidden / link.name
    if link.is_dir():
        link.rmdir()
    os.symlink(target, link)
    report = take_over(house.store, "u-robin", str(brought))
    assert [one.keywords for one in report.folders] == [()]


def test_pipes_beside_the_mail_keep_nobody_waiting(house, tmp_path):
    """A pipe, a link or a directory where a small file should be is as good as no file."""
    house.inbox.refresh()
    os.makedirs(house.path(".~long", "cur"))
    small = [house.path(name) for name in ("dovecot-keywords", "unitymail.subscriptions", "unitymail.uidvalidity",
                                           os.path.join(".~long", "unitymail.name"))]  # fmt: skip
    (tmp_path / "file").write_bytes(b"0 Secret\n")
    for make in (os.mkfifo, lambda path: os.symlink(tmp_path / "file", path)):
        for path in small:
            if os.path.lexists(path):
                os.unlink(path)
            make(path)
        assert letters_in(os.fsencode(small[0])) == () and last_in(small[2]) == 0
        assert subscriptions.read(small[1]) is None
        assert house.inbox.refresh() and "INBOX" in {info.name for info in house.account.folders()}


def test_an_export_writes_through_no_link(house, tmp_path):
    """A link that somebody put where the export will write is replaced, and what it names stays as it is."""
    house.deliver()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    target = tmp_path / "robin.mbox"
    for link in (f"{target}.part", target):
        os.symlink(victim, link)
    list(export_mbox(house.account, str(target)))
    assert victim.read_bytes() == b"precious" and not target.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_is_exported_is_nobody_elses(house, tmp_path):
    """Directories and files of an export belong to who made it, whatever the umask."""
    before = os.umask(0)
    try:
        house.deliver(2)
        list(export_maildir(house.account, str(tmp_path / "out")))
    finally:
        os.umask(before)
    made = list((tmp_path / "out").rglob("*"))
    assert len([path for path in made if path.is_file()]) == 2
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_deleting_a_folder_leaves_what_its_links_name(house, tmp_path):
    """A link inside a folder goes with it; the directory behind it stays."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    house.account.create("Work")
    os.symlink(precious, house.path(".Work", "tmp", "link"))
    os.symlink(precious, house.path(".Work", "link"))
    house.account.delete("Work")
    assert (precious / "file").read_text() == "x"


@pytest.mark.parametrize("text", ["../../x\0", "a\nb", "", "x" * 5_000, "INBOX\0", "a//b", "\udcff"])
def test_a_name_file_that_somebody_wrote(house, text):
    """The true name of a folder with a long one is in a file: what cannot be a name is shown to nobody."""
    directory = house.path(".~" + "0" * 40)
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(directory, part))
    Path(directory, "unitymail.name").write_bytes(text.encode("utf-8", "surrogateescape"))
    shown = {info.name for info in house.account.folders()}
    assert text not in shown and all(names.checked(name) == name for name in shown)
