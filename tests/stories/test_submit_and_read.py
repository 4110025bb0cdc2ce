"""Robin submits a voice message with swaks; Chris finds it with curl, mbsync, mutt and imaplib, octet for octet."""

import os
import pty
import re
import select
import subprocess

import pytest

from tests.stories.house import PATIENCE_S, VECTORS, fetch_all, needs

VOICE = (VECTORS / "viewmail_voice.eml").read_bytes()
OUR_BLOCK = re.compile(rb"Return-Path: <[^\r]*>\r\nReceived: (?s:.*?)\r\nX-Unitymail-Trace: (?s:.*?)\r\n(?![ \t])")


def submit(house, octets=VOICE, to="chris.jones@example.com"):
    """swaks over STARTTLS with AUTH LOGIN, as Outlook does it; the file is sent as it is, so the last dot is in it."""
    needs("swaks")
    message = house.folder / "message.eml"
    message.write_bytes(octets.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(house.ports["submission"]), "--tls", "--auth", "LOGIN",
         "--auth-user", "robin", "--auth-password", house.passwords["robin"], "--from", "robin.smith@example.com",
         "--to", to, "--data", f"@{message}", "--no-data-fixup"],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return re.search(r"250 2\.0\.0 .*?([0-9a-z]{20})", done.stdout)[1]


def assert_is_the_message(octets, trace):
    block = OUR_BLOCK.match(octets)
    assert block, octets[:600]
    assert trace.encode() in block[0]
    assert octets[block.end() :] == VOICE


def test_curl_and_imaplib_find_it(house):
    """What comes out is what went in, after our own header block."""
    needs("curl")
    trace = submit(house)
    url = f"imaps://127.0.0.1:{house.ports['imaps']}/INBOX;UID=1"
    got = subprocess.run(
        ["curl", "--silent", "--show-error", "--insecure", "--user", f"chris:{house.passwords['chris']}", url],
        capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    assert_is_the_message(got.stdout, trace)
    box = house.imap("chris")
    (octets,) = fetch_all(box).values()
    assert_is_the_message(octets, trace)
    box.logout()
    assert f"transaction trace={trace}" in house.journal()
    assert f"delivered trace={trace}" in house.journal()


def test_mbsync_finds_it(house, tmp_path):
    """A Maildir kept by mbsync holds the same octets (mbsync drops the CR of each line, and adds its own field)."""
    needs("mbsync", "isync")
    trace = submit(house)
    local = tmp_path / "local"
    local.mkdir()
    config = tmp_path / "mbsyncrc"
    config.write_text(
        f"IMAPAccount node\nHost localhost\nPort {house.ports['imaps']}\nUser chris\nPass {house.passwords['chris']}\n"
        f"SSLType IMAPS\nCertificateFile {house.folder}/tls/cert.pem\n\n"
        "IMAPStore far\nAccount node\n\n"
        f"MaildirStore near\nPath {local}/\nInbox {local}/INBOX\nSubFolders Verbatim\n\n"
        "Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nSyncState *\n"
    )
    done = subprocess.run(["mbsync", "-c", str(config), "all"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = [path for path in local.glob("INBOX/*/*") if path.is_file()]
    octets = re.sub(rb"X-TUID: [^\n]*\n", b"", found.read_bytes()).replace(b"\n", b"\r\n")
    assert_is_the_message(octets, trace)


def test_mutt_lists_it(house, tmp_path):
    """mutt shows the folder with the message's subject."""
    needs("mutt")
    submit(house)
    rc = tmp_path / "muttrc"
    rc.write_text(
        f'set imap_user="chris"\nset imap_pass="{house.passwords["chris"]}"\nset folder=""\nset header_cache=""\n'
        f'set certificate_file="{house.folder}/tls/cert.pem"\nset ssl_verify_host=no\nset ssl_verify_dates=no\n'
        'set index_format="SUBJECT %s"\n'
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", HOME=str(tmp_path), LINES="24", COLUMNS="100")
        os.execvp("mutt", ["mutt", "-n", "-R", "-F", str(rc), "-f", f"imaps://127.0.0.1:{house.ports['imaps']}/INBOX"])
    screen = b""
    try:
        while b"SUBJECT Voice Message from Robin Smith" not in screen:
            if not select.select([terminal], [], [], PATIENCE_S)[0]:
                pytest.fail(f"mutt shows nothing more: {screen!r}")
            screen += os.read(terminal, 65536)
        os.write(terminal, b"q")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
