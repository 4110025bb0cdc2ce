"""Dovecot with a Maildir for a story: its IMAP and LMTP on loopback, over mail that another program takes over."""

import grp
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

from tests.stories.house import PATIENCE_S, free_ports, needs, until

PASSWORD = "Reads-4-us"
AS_ROOT = os.geteuid() == 0
OWNER = pwd.getpwnam("mail") if AS_ROOT else pwd.getpwuid(os.geteuid())
"""All of Dovecot runs as this user, with no rights of its own to change that."""
OF_ANOTHER = [
    "setpriv", f"--reuid={OWNER.pw_uid}", f"--regid={OWNER.pw_gid}", "--clear-groups",
    "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup",
]  # fmt: skip
"""Becomes the owner from root, and may still read and write what is root's; access(2) says so, too."""
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
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
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
  args = uid={uid} gid={gid} home={d}/home
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

    It lets nobody called root read mail, so for root all of it is `mail`, whom files of root's do not stop; for
    anybody else it is who runs this.
    """

    def __init__(self, mail=None):
        needs("doveadm", "dovecot-imapd dovecot-lmtpd")
        if AS_ROOT:
            needs("setpriv", "util-linux")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.mail = pathlib.Path(mail) if mail else self.folder / "Maildir"
        self.imap_port, self.lmtp_port = free_ports(2)
        self.process = None
        for place in (self.folder / "home", self.mail):
            place.mkdir(exist_ok=True)
        self.settings = self.folder / "dovecot.conf"
        self.settings.write_text(SETTINGS.format(
            d=self.folder, mail=self.mail, user=OWNER.pw_name, group=grp.getgrgid(OWNER.pw_gid).gr_name,
            uid=OWNER.pw_uid, gid=OWNER.pw_gid, password=PASSWORD, imap=self.imap_port, lmtp=self.lmtp_port,
        ))  # fmt: skip

    def __enter__(self):
        program = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin")
        become = OF_ANOTHER if AS_ROOT else []
        self.process = subprocess.Popen([*become, program, "-F", "-c", self.settings], stdin=subprocess.DEVNULL)
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
