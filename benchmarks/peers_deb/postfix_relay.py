#!/usr/bin/env python3
"""Postfix set up to relay everything to one next hop, on loopback, under a throw-away directory. Needs root.

    postfix_relay.py start --dir DIR --next-hop [ADDRESS]:PORT [--base-port 19300] [--connections 8]
    postfix_relay.py stop  --dir DIR

What differs from the shipped settings: the paths, no DNS, the size limit, in_flow_delay = 0, and as many deliveries at
once to the next hop as --connections says, from the first one on (as shipped it would begin with 5).
"""

import argparse
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
relayhost = {next_hop}
disable_dns_lookups = yes
default_destination_concurrency_limit = {connections}
initial_destination_concurrency = {connections}
message_size_limit = 104857600
mailbox_size_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
in_flow_delay = 0
"""
SERVICES = """\
127.0.0.1:{port} inet n - n - 100 smtpd
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


def start(a):
    d = os.path.abspath(a.dir)
    for name in ("etc", "queue", "data"):
        os.makedirs(f"{d}/{name}", exist_ok=True)
    os.chmod(d, 0o755)
    shutil.chown(f"{d}/data", "postfix")
    facts = {"d": d, "port": a.base_port, "next_hop": a.next_hop, "connections": a.connections}
    for name, text in (("main.cf", MAIN), ("master.cf", SERVICES), ("dynamicmaps.cf", "")):
        with open(f"{d}/etc/{name}", "w") as file:
            file.write(text.format(**facts))
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    with open(f"{d}/start.log", "w") as log:
        subprocess.run(["postfix", "-c", f"{d}/etc", "start"], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                       timeout=60, env=environment, check=True)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", a.base_port), 1).close()
            break
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing listens on {a.base_port}; see {d}/postfix.log") from None
            time.sleep(0.1)
    with open(f"{d}/target.toml", "w") as file:
        file.write(f'name = "postfix"\n[smtp]\nhost = "127.0.0.1"\nport = {a.base_port}\n'
                   '[server]\npid_files = ["queue/pid/master.pid"]\n')
    print(f"{d}/target.toml")


def stop(a):
    try:
        with open(os.path.join(a.dir, "queue/pid/master.pid")) as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"master" in file.read():
                os.kill(pid, signal.SIGTERM)
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.05)
    except (OSError, ValueError):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("do", choices=["start", "stop"])
    p.add_argument("--dir", required=True)
    p.add_argument("--next-hop", default="")
    p.add_argument("--base-port", type=int, default=19300)
    p.add_argument("--connections", type=int, default=8)
    a = p.parse_args()
    {"start": start, "stop": stop}[a.do](a)


if __name__ == "__main__":
    main()
