#!/usr/bin/env python3
"""Postfix set up to relay everything to one next hop, on loopback, under a throw-away directory. Needs root.

    postfix_relay.py start --dir DIR --next-hop [ADDRESS]:PORT [--base-port 19300] [--connections 8]
    postfix_relay.py stop  --dir DIR

What differs from the shipped settings: what `throwaway_postfix` says, the size limit, and as many deliveries at once to
the next hop as --connections says, from the first one on (as shipped it would begin with 5).
"""

import argparse
import os

import throwaway_postfix

MAIN = """\
relayhost = {next_hop}
default_destination_concurrency_limit = {connections}
initial_destination_concurrency = {connections}
message_size_limit = 104857600
"""
DOOR = "127.0.0.1:{port} inet n - n - 100 smtpd\n"


def start(a):
    d = os.path.abspath(a.dir)
    main = MAIN.format(next_hop=a.next_hop, connections=a.connections)
    throwaway_postfix.write(d, main, DOOR.format(port=a.base_port))
    throwaway_postfix.launch(d)
    throwaway_postfix.wait_for(d, a.base_port)
    with open(f"{d}/target.toml", "w") as file:
        file.write(f'name = "postfix"\n[smtp]\nhost = "127.0.0.1"\nport = {a.base_port}\n'
                   f'[server]\npid_files = ["{throwaway_postfix.PID_FILE}"]\n')
    print(f"{d}/target.toml")


def stop(a):
    throwaway_postfix.end(a.dir)


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
