#!/usr/bin/env python3
"""A unitymail node set up for load, on loopback, under a throw-away directory.

    unitymail_node.py start --dir DIR [--users 15000] [--base-port 19500] [--python INTERPRETER]
                            [--smart-host HOST:PORT] [--workers N|auto]
    unitymail_node.py stop  --dir DIR

start writes DIR/target.toml and prints its path. The node is as `unitymail init` makes it; besides, 127.0.0.1 is
trusted (Postfix, too, trusts its own machine), senders need not be known, and the per-address limits are those of the
peers: none. DIR/by-alias/ALIAS leads to each user's mailbox.
"""
import argparse
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DOMAIN, PASSWORD = "bench.test", "benchpass"
SENDER = "sender@bench.example"  # the address that the load generators write as
DOORS = ("smtp", "submission", "submissions", "imap", "imaps")


def add_users(folder, count, smart_host=""):
    """`count` users in one transaction; they share one password, hashed once. Mail for others goes to `smart_host`."""
    sys.path.insert(0, ROOT)
    from unitymail.directory.directory import Directory
    from unitymail.directory.sql.database import Database
    from unitymail.login.passwords import Passwords
    from unitymail.people.access import AccessRule
    from unitymail.people.user import Quota, User

    database = Database(os.path.join(folder, "directory.sqlite"))
    secret = Passwords().secret(PASSWORD.encode(), scram=True)
    aliases = {}
    with Directory(database, time.time).change("bench") as change:
        for number in range(count):
            user = change.add(User("", f"u{number:05d}", "", quota=Quota(0, 0, 0)))
            change.set_password(user.id, secret)
            aliases[user.alias] = user.id
        change.add_proxy(aliases["u00000"], SENDER)
        change.add(AccessRule("127.0.0.1", True))
        change.set_site([
            ("unknown_sender", "accept"), ("smtp.max_connections", "20000"), ("imap.max_connections", "20000"),
            ("smtp.max_connections_per_address", "20000"), ("imap.max_connections_per_user", "20000"),
            ("smtp.max_messages_per_connection", "0"), ("smtp.max_message_kib", "100000"),
        ])
        if smart_host:
            host, _, port = smart_host.rpartition(":")
            change.set_site([
                ("smart_host.host", host), ("smart_host.port", port), ("smart_host.tls", "none"),
                ("recipient_not_found", "smart-host"),
            ])
    database.close()
    return aliases


def start(a):
    d = os.path.abspath(a.dir)
    node = os.path.join(d, "node")
    os.makedirs(d, exist_ok=True)
    ports = {door: a.base_port + i for i, door in enumerate(DOORS)}
    environment = {**os.environ, "PYTHONPATH": ROOT}
    if not os.path.exists(node + "/unitymail.toml"):
        options = [word for door, port in ports.items() for word in (f"--{door}-port", str(port))]
        subprocess.run(
            [a.python, "-m", "unitymail.ctl", "init", node, "--domain", DOMAIN, "--host-name", "localhost",
             "--listen", "127.0.0.1", "--web-port", "0", "--workers", a.workers, *options],
            check=True, env=environment, stdout=subprocess.DEVNULL,
        )
        os.makedirs(d + "/by-alias")
        for alias, id in add_users(node, a.users, a.smart_host).items():
            os.symlink(f"../node/accounts/{id}", f"{d}/by-alias/{alias}")
    with open(d + "/log", "a") as log:
        process = subprocess.Popen(
            [a.python, *(a.twistd.split() or ("-c", "from twisted.scripts.twistd import run; run()")), "--nodaemon",
             "--pidfile=", "unitymail", "--config", node + "/unitymail.toml"],
            cwd=d, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, env=environment,
        )
    with open(d + "/pid", "w") as f:
        f.write(f"{process.pid}\n")
    deadline = time.monotonic() + 60
    while not os.path.exists(node + "/run/node.json"):
        if process.poll() is not None or time.monotonic() > deadline:
            with open(d + "/log") as log:
                raise SystemExit(log.read()[-2000:])
        time.sleep(0.05)
    with open(d + "/target.toml", "w") as f:
        f.write(f'''name = "unitymail"
[smtp]
host = "127.0.0.1"
port = {ports["smtp"]}
submission_port = {ports["submission"]}
smtps_port = {ports["submissions"]}
[imap]
host = "127.0.0.1"
port = {ports["imap"]}
tls_port = {ports["imaps"]}
[server]
pid_files = ["pid"]
maildir_root = "by-alias"
maildir_template = "{{alias}}"
[bulk]
alias_template = "u{{:05d}}"
password = "{PASSWORD}"
address_template = "u{{:05d}}@{DOMAIN}"
count = {a.users}
[[users]]
alias = "u00000"
password = "{PASSWORD}"
address = "{SENDER}"
''')
    print(d + "/target.toml")


def stop(a):
    try:
        with open(os.path.join(a.dir, "pid")) as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            if b"unitymail" in f.read():
                os.kill(pid, signal.SIGTERM)
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.05)
    except (OSError, ValueError):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("do", choices=["start", "stop"])
    p.add_argument("--dir", required=True)
    p.add_argument("--users", type=int, default=15000)
    p.add_argument("--base-port", type=int, default=19500)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--twistd", default="", help="what is run in place of twistd: a script and its arguments")
    p.add_argument("--smart-host", default="", help="HOST:PORT; mail for others goes there")
    p.add_argument("--workers", default="1", help="processes that serve the doors")
    a = p.parse_args()
    {"start": start, "stop": stop}[a.do](a)


if __name__ == "__main__":
    main()
