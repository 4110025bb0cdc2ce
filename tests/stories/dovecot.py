"""Dovecot with a Maildir for a story: its IMAP and LMTP on loopback, over mail that another program takes over."""

import imaplib
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile

import pytest

from tests.stories.house import PATIENCE_S, free_ports, needs, until

PASSWORD = "Reads-4-us"
SETTINGS = """\
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
listen = 127.0.0.1
protocols = imap lmtp
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{mail}
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 0
first_valid_gid = 0
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={d}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.com
}}
"""


class Dovecot:
    """One user's Maildir at `mail`, which any name and PASSWORD open. Run as a context manager.

    Its folder is one of its own: Dovecot's users must be able to come there, and pytest lets nobody in to its folders.
    """

    def __init__(self, mail=None):
        needs("doveadm", "dovecot-imapd dovecot-lmtpd")
        if os.geteuid():
            words = "Dovecot serves mail of other users only as root: run this story as root"
            pytest.fail(words) if os.environ.get("UNITYMAIL_NO_SKIP") else pytest.skip(words)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.folder.chmod(0o755)
        self.mail = pathlib.Path(mail) if mail else self.folder / "Maildir"
        self.imap_port, self.lmtp_port = free_ports(2)
        self.process = None
        (self.folder / "home").mkdir()
        uid = 0 if mail else pwd.getpwnam("mail").pw_uid
        if uid:
            os.chown(self.folder / "home", uid, uid)
            self.mail.mkdir()
            os.chown(self.mail, uid, uid)
        self.settings = self.folder / "dovecot.conf"
        self.settings.write_text(SETTINGS.format(
            d=self.folder, mail=self.mail, uid=uid, password=PASSWORD, imap=self.imap_port, lmtp=self.lmtp_port
        ))

    def __enter__(self):
        program = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-F", "-c", self.settings], stdin=subprocess.DEVNULL)
        until(self._listens, lambda: f"Dovecot does not listen: {self._log()}")
        return self

    def _listens(self):
        assert self.process.poll() is None, self._log()
        for port in (self.imap_port, self.lmtp_port):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)):
                    return False
        return True

    def _log(self):
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def imap(self):
        box = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=PATIENCE_S)
        box.login("robin", PASSWORD)
        return box

    def deliver(self, octets):
        """By LMTP, as its mail comes in."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as client:
            client.sendmail("jo@example.net", ["robin@example.com"], octets)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)
            self.process = None

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)
