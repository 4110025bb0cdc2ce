"""A Postfix under a throw-away directory, on loopback: what every set-up here shares. Needs root.

What differs from the shipped settings: the paths, no DNS, no limit of mailboxes and connections, in_flow_delay = 0.
"""

import os
import shutil
import signal
import socket
import subprocess
import time

MAIN = """\
compatibility_level = 3.6
config_directory = {d}/etc
queue_directory = {d}/queue
data_directory = {d}/data
maillog_file = {d}/postfix.log
maillog_file_prefixes = {d}
myhostname = mail.bench.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
mailbox_size_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
in_flow_delay = 0
"""
SERVICES = """\
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
smtp      unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
showq     unix  n - n - - showq
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
proxymap  unix  - - n - - proxymap
postlog   unix-dgram n - n - 1 postlogd
"""
PID_FILE = "queue/pid/master.pid"


def write(d, main, services, **files):
    """Its folders and files: what is set and which services run besides those above; other files of DIR/etc by name."""
    for name in ("etc", "queue", "data"):
        os.makedirs(f"{d}/{name}", exist_ok=True)
    os.chmod(d, 0o755)
    shutil.chown(f"{d}/data", "postfix")
    texts = {"main.cf": MAIN.format(d=d) + main, "master.cf": services + SERVICES, "dynamicmaps.cf": "", **files}
    for name, text in texts.items():
        with open(f"{d}/etc/{name}", "w") as file:
            file.write(text)


def launch(d):
    run(d, "postfix", "-c", f"{d}/etc", "start")


def run(d, *words):
    """A daemon's starter. Its words go to a file, not to a pipe: the daemon would hold that open."""
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    with open(f"{d}/start.log", "a") as log:
        subprocess.run(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=60, env=environment, check=True)


def wait_for(d, port):
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing listens on {port}; see {d}/start.log and {d}/postfix.log") from None
            time.sleep(0.1)


def end(d, pid_file=PID_FILE, word=b"master"):
    """End the daemon that wrote the file, if it is still the one with `word` in its command line."""
    try:
        with open(os.path.join(d, pid_file)) as file:
            pid = int(file.read().split()[0])
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if word not in file.read():
                return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.05)
    except (OSError, ValueError, IndexError):
        pass
