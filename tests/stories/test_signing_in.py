"""Signing in for real: SCRAM-SHA-256 by two libraries that are not ours, and a lock that is one over all doors,
mechanisms, processes and restarts.

mbsync proves itself by Cyrus SASL, mutt by GNU SASL, at IMAP and at submission. curl of Debian knows no SCRAM.
"""

import imaplib
import os
import pty
import re
import select
import smtplib
import subprocess

import pytest

from tests.scram import Client
from tests.stories.house import PATIENCE_S, House, needs, until
from tests.stories.test_workers import Crew

LETTER = b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: Proof\r\n\r\nAt noon.\r\n"


@pytest.fixture
def crew(model, tmp_path):
    """A running node with Robin and Chris that has two workers."""
    home = Crew.like(model, tmp_path / "node", workers=2)
    home.start()
    yield home
    home.lines.close()
    home.kill()


def steps(alias, password):
    """Responses of a SCRAM client, one after the other, to the challenges that come with `send`."""
    client = Client(alias, password.encode())
    yield client.final((yield client.first()))
    yield b""


def imap_by_scram(house, alias, password):
    """Sign in over a connection of its own and out again; raises imaplib.IMAP4.error."""
    way = steps(alias, password)
    with imaplib.IMAP4("127.0.0.1", house.ports["imap"], timeout=PATIENCE_S) as box:
        box.authenticate("SCRAM-SHA-256", lambda challenge: way.send(challenge or None))


def smtp_by_scram(client, alias, password):
    way = steps(alias, password)
    client.ehlo_or_helo_if_needed()
    return client.auth("SCRAM-SHA-256", lambda challenge=None: way.send(challenge or None).decode("ascii"))


def signed_in(house, door, user):
    """How Robin or Chris came in by this door, the last time."""
    lines = [line for line in list(house.output) if " signed-in " in line and f"door={door} user={user}" in line]
    return re.search(r"mechanism=(\S+) tls=(\S+)", lines[-1]).groups() if lines else None


def test_mbsync_proves_itself(house, tmp_path):
    """Cyrus SASL signs in by SCRAM-SHA-256 alone and fetches the mail."""
    needs("mbsync", "isync")
    house.submit("robin", ["chris.jones@example.com"], LETTER, sender="robin.smith@example.com")
    local = tmp_path / "local"
    local.mkdir()
    config = tmp_path / "mbsyncrc"
    config.write_text(
        f"IMAPAccount node\nHost localhost\nPort {house.ports['imaps']}\nUser chris\nPass {house.passwords['chris']}\n"
        f"SSLType IMAPS\nCertificateFile {house.folder}/tls/cert.pem\nAuthMechs SCRAM-SHA-256\n\n"
        "IMAPStore far\nAccount node\n\n"
        f"MaildirStore near\nPath {local}/\nInbox {local}/INBOX\n\nChannel all\nFar :far:\nNear :near:\nSyncState *\n"
    )
    done = subprocess.run(["mbsync", "-c", str(config), "all"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([path for path in local.glob("INBOX/*/*") if path.is_file()]) == 1
    assert signed_in(house, "imaps", "chris") == ("SCRAM-SHA-256", "yes")


def test_mutt_proves_itself(house, tmp_path):
    """GNU SASL signs in by SCRAM-SHA-256 to submit a message, and to read it."""
    needs("mutt")
    rc = tmp_path / "muttrc"
    rc.write_text(
        f'set smtp_url="smtps://robin@127.0.0.1:{house.ports["submissions"]}/"\n'
        f'set smtp_authenticators="scram-sha-256"\nset smtp_pass="{house.passwords["robin"]}"\n'
        'set from="robin.smith@example.com"\nset use_envelope_from=yes\n'
        f'set imap_user="chris"\nset imap_pass="{house.passwords["chris"]}"\nset imap_authenticators="scram-sha-256"\n'
        f'set certificate_file="{house.folder}/tls/cert.pem"\nset ssl_verify_host=no\nset ssl_verify_dates=no\n'
        'set copy=no\nset folder=""\nset header_cache=""\nset index_format="SUBJECT %s"\n'
    )
    home = {**os.environ, "TERM": "xterm", "HOME": str(tmp_path), "LINES": "24", "COLUMNS": "100"}
    words = ["mutt", "-n", "-F", str(rc)]
    sent = subprocess.run([*words, "-s", "Proof by mutt", "chris.jones@example.com"], input=b"At noon.\n", env=home,
                          capture_output=True, timeout=PATIENCE_S)  # fmt: skip
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert signed_in(house, "submissions", "robin") == ("SCRAM-SHA-256", "yes")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("mutt", [*words, "-R", "-f", f"imaps://127.0.0.1:{house.ports['imaps']}/INBOX"], home)
    screen = b""
    try:
        while b"SUBJECT Proof by mutt" not in screen:
            assert select.select([terminal], [], [], PATIENCE_S)[0], screen
            screen += os.read(terminal, 65536)
        os.write(terminal, b"q")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    assert signed_in(house, "imaps", "chris") == ("SCRAM-SHA-256", "yes")


def test_every_door_takes_a_proof(house):
    """mta, submission and submissions as IMAP with and without TLS: 334, 334, 235; then mail goes through."""
    for door in ("smtp", "submission", "submissions"):
        with house.smtp(door=door) as client:
            assert smtp_by_scram(client, "robin", house.passwords["robin"])[0] == 235
            assert client.sendmail("robin.smith@example.com", ["chris.jones@example.com"], LETTER) == {}
    imap_by_scram(house, "chris", house.passwords["chris"])
    assert signed_in(house, "imap", "chris") == ("SCRAM-SHA-256", "no")
    assert len(house.read("chris")) == 3


def test_one_lock_for_all(crew):
    """Four wrong ones in all, by PLAIN at submission and SCRAM at IMAP, at two processes, lock: for both doors, over a
    restart, until `user unlock`; the right password and proof are refused in the words of wrong ones meanwhile."""
    right = crew.passwords["robin"]
    refusals = set()

    def by_plain(password):
        with crew.smtp() as client:
            try:
                client.login("robin", password)
            except smtplib.SMTPAuthenticationError as refused:
                refusals.add((refused.smtp_code, refused.smtp_error))
                return False
            return True

    def by_scram(password):
        try:
            imap_by_scram(crew, "robin", password)
        except imaplib.IMAP4.error as refused:
            refusals.add(str(refused))
            return False
        return True

    assert by_plain(right) and by_scram(right)
    crew.run("site", "set", "auth.max_failures=4")
    for number in range(4):
        assert not (by_plain, by_scram)[number % 2]("wrong-as-can-be")
    shown = crew.ask("user", "show", "robin")
    assert (shown["locked"], shown["failures"], shown["password"]) == (True, 4, "set")
    assert not by_plain(right) and not by_scram(right)
    assert len(refusals) == 2, refusals
    crew.stop()
    crew.start()
    assert not by_plain(right) and not by_scram(right)
    assert len(refusals) == 2, refusals
    assert crew.hears("sign-in-failed", "name=robin", "mechanism=SCRAM-SHA-256", 'why="the user is locked"')
    crew.run("user", "unlock", "robin")
    assert by_plain(right) and by_scram(right)


def test_keys_come_and_go_with_the_switch(house):
    """`auth.scram` off: not offered, keys gone, other ways in unharmed. On again: the next password makes them."""
    house.run("site", "set", "auth.scram=off")
    with house.smtp() as client:
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
    with pytest.raises(imaplib.IMAP4.error, match="no mechanism"):
        imap_by_scram(house, "chris", house.passwords["chris"])
    assert house.ask("user", "show", "chris")["scram"] is False
    house.run("site", "set", "auth.scram=on")
    with pytest.raises(imaplib.IMAP4.error, match="Name or password is wrong"):
        imap_by_scram(house, "chris", house.passwords["chris"])
    assert house.read("chris") == {}
    until(lambda: house.ask("user", "show", "chris")["scram"], "no keys were made")
    imap_by_scram(house, "chris", house.passwords["chris"])


def test_a_password_for_one_use(house):
    """`user passwd --must-change`: with the right one, and only then, a client hears that another is due."""
    house.run("user", "passwd", "robin", "--must-change", "--password-stdin", input="Just-4-once\n")
    for sign_in in (lambda: imap_by_scram(house, "robin", "Just-4-once"), lambda: _login(house, "Just-4-once")):
        with pytest.raises(imaplib.IMAP4.error, match="EXPIRED"):
            sign_in()
    with pytest.raises(imaplib.IMAP4.error, match="Name or password is wrong"):
        imap_by_scram(house, "robin", "wrong-as-can-be")
    with house.smtp() as client, pytest.raises(smtplib.SMTPAuthenticationError, match="expired"):
        client.login("robin", "Just-4-once")


def test_a_changed_password_ends_what_the_old_one_began(crew):
    """`user passwd` reaches every process: sessions that are open go no further, one with the new password does."""
    open_boxes = [crew.imap("robin") for _ in range(4)]
    with crew.smtp() as client:
        client.login("robin", crew.passwords["robin"])
        assert client.mail("robin.smith@example.com")[0] == 250
        client.rset()
        crew.run("user", "passwd", "robin", "--password-stdin", input="Tulips-by-noon\n")

        def refused():
            code, words = client.mail("robin.smith@example.com")
            if code == 250:
                client.rset()
            return code == 421 and b"password was changed" in words

        until(refused, "SMTP goes on with the old password")
    for box in open_boxes:
        until(lambda: _ended(box), "IMAP goes on with the old password")  # noqa: B023
    assert _login(crew, "Tulips-by-noon").noop()[0] == "OK"


def _ended(box):
    try:
        box.noop()
    except imaplib.IMAP4.abort:
        return True
    return False


def _login(house: House, password):
    house.passwords["robin"] = password
    return house.imap("robin")
