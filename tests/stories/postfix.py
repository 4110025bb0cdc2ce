"""Postfix as a smart host for a story: TLS, AUTH, and one Maildir for all that it accepts."""

import contextlib
import email
import email.policy
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest
import trustme

from tests.stories.house import PATIENCE_S, free_ports, needs, wait_a_little

MECHANISMS = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
DOOR = "127.0.0.1:{port} inet n - n - 100 smtpd -o smtpd_sasl_path={name} -o smtpd_discard_ehlo_keywords={lacks}\n"
SERVICES = """\
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
virtual   unix  - n n - - virtual
smtp      unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
showq     unix  n - n - - showq
anvil     unix  - - n - 1 anvil
proxymap  unix  - - n - - proxymap
postlog   unix-dgram n - n - 1 postlogd
"""
SETTINGS = """\
compatibility_level = 3.6
config_directory = {d}/etc
queue_directory = {d}/queue
data_directory = {d}/data
maillog_file = {d}/log/postfix.log
maillog_file_prefixes = {d}
myhostname = relay.example.net
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
virtual_mailbox_domains = regexp:{d}/etc/all
virtual_mailbox_maps = regexp:{d}/etc/all
virtual_mailbox_base = {d}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_transport = virtual
enable_original_recipient = yes
smtpd_peername_lookup = no
smtpd_tls_cert_file = {d}/etc/cert.pem
smtpd_tls_key_file = {d}/etc/key.pem
smtpd_tls_security_level = {tls}
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_host_lookup = native
transport_maps = regexp:{d}/etc/transport
smtpd_sasl_auth_enable = yes
cyrus_sasl_config_path = {d}/etc/sasl
smtpd_relay_restrictions = {who}, reject
smtpd_recipient_restrictions = check_recipient_access regexp:{d}/etc/barred, {who}, reject
smtpd_reject_unlisted_recipient = no
in_flow_delay = 0
"""


@contextlib.contextmanager
def readable_by_others():
    """What is made meanwhile can be read by Postfix's users, whatever mask this process runs with."""
    mask = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(mask)


class Postfix:
    """A smart host at `port`. `username`, `password`: what it wants with `auth`; `ca_file`: who signed for `name`.

    `ports[mechanism]` is a door that knows this mechanism only, `data_port` one without CHUNKING. Recipients barred@
    are refused, later@ are asked to wait, bounced@ are taken and reported as unknown afterwards. `inward`: the ports at
    which these domains are served.

    Its folder is one of its own: Postfix's users must be able to come there, and pytest lets nobody in to its folders.
    """

    name = "localhost"
    username, password = "vm1@relay.example.net", "Relays-4-us"

    def __init__(self, *, tls="encrypt", auth=True, inward=()):
        needs("postconf", "postfix")
        needs("saslpasswd2", "sasl2-bin")
        if os.geteuid():
            words = "Postfix starts only as root: run this story as root"
            pytest.fail(words) if os.environ.get("UNITYMAIL_NO_SKIP") else pytest.skip(words)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postfix-"))
        self.port, self.data_port, *ports = free_ports(2 + len(MECHANISMS))
        self.ports = dict(zip(MECHANISMS, ports, strict=True))
        self.ca_file = self.folder / "ca.pem"
        self.process = None
        with readable_by_others():
            self._make(tls, auth, dict(inward))

    def _make(self, tls, auth, inward):
        d = self.folder
        for name in ("etc/sasl", "queue", "data", "log", "mail"):
            (d / name).mkdir(parents=True)
        d.chmod(0o711)
        owner = pwd.getpwnam("postfix")
        os.chown(d / "data", owner.pw_uid, owner.pw_gid)
        os.chown(d / "mail", owner.pw_uid, owner.pw_gid)
        authority = trustme.CA()
        pair = authority.issue_cert(self.name, "127.0.0.1")
        authority.cert_pem.write_to_path(str(self.ca_file))
        pair.private_key_pem.write_to_path(str(d / "etc/key.pem"))
        with open(d / "etc/cert.pem", "wb") as file:
            file.writelines(blob.bytes() for blob in pair.cert_chain_pems)
        (d / "etc/all").write_text("/./ all/\n")
        (d / "etc/barred").write_text(
            "/^barred@/ 550 5.1.1 no such mailbox here\n/^later@/ 450 4.2.0 come back later\n"
        )
        routes = [f"/@{re.escape(domain)}$/ smtp:[127.0.0.1]:{port}" for domain, port in inward.items()]
        routes.append("/^bounced@/ error:5.1.1 no such mailbox behind this relay")
        (d / "etc/transport").write_text("\n".join(routes) + "\n")
        (d / "etc/dynamicmaps.cf").write_text("")
        who = "permit_sasl_authenticated" if auth else "permit"
        facts = {"d": d, "uid": owner.pw_uid, "gid": owner.pw_gid, "tls": tls, "who": who}
        (d / "etc/main.cf").write_text(SETTINGS.format(**facts))
        doors = {"smtpd": (self.port, MECHANISMS, ""), "data": (self.data_port, MECHANISMS, "chunking")}
        doors |= {mechanism.lower(): (port, (mechanism,), "") for mechanism, port in self.ports.items()}
        lines = [DOOR.format(port=port, name=name, lacks=lacks) for name, (port, _, lacks) in doors.items()]
        (d / "etc/master.cf").write_text("".join(lines) + SERVICES)
        for name, (_, mechanisms, _) in doors.items():
            (d / f"etc/sasl/{name}.conf").write_text(
                f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {d}/etc/sasldb2\n"
                f"mech_list: {' '.join(mechanisms)}\n"
            )
        name, _, realm = self.username.partition("@")
        subprocess.run(
            ["saslpasswd2", "-p", "-c", "-f", str(d / "etc/sasldb2"), "-u", realm, name],
            input=self.password, text=True, check=True, capture_output=True,
        )
        shutil.chown(d / "etc/sasldb2", "postfix")

    def start(self):
        """`master` in the foreground, so that it is ended by its own pid."""
        master = pathlib.Path(self._setting("daemon_directory")) / "master"
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
                     "pid", "private", "public", "saved", "trace"):
            (self.folder / "queue" / name).mkdir(exist_ok=True)
            if name != "pid":
                shutil.chown(self.folder / "queue" / name, "postfix")
        for name, mode in (("public", 0o710), ("maildrop", 0o730)):
            shutil.chown(self.folder / "queue" / name, "postfix", "postdrop")
            (self.folder / "queue" / name).chmod(mode)
        with readable_by_others():
            self.process = subprocess.Popen(
                [str(master), "-c", str(self.folder / "etc"), "-d"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )
        self._wait_for_port()
        return self

    def _setting(self, name):
        done = subprocess.run(["postconf", "-h", "-d", name], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def _wait_for_port(self):
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                wait_a_little()
        raise AssertionError(f"Postfix does not start:\n{self.log()}")

    def log(self):
        path = self.folder / "log" / "postfix.log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None
        shutil.rmtree(self.folder)

    def having(self, word):
        """[(recipient, octets)] of the messages with the word in them that were delivered, in the order of arrival.

        Lines end as on the wire, not as Postfix keeps them.
        """
        new = self.folder / "mail" / "all" / "new"
        files = sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns) if new.exists() else []
        found = (path.read_bytes().replace(b"\n", b"\r\n") for path in files)
        return [(_recipient(octets), octets) for octets in found if word.encode() in octets]


def _recipient(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)["X-Original-To"]
