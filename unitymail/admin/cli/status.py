"""`unitymail status`: whether the node runs, and everything that an administrator looks at first, at a glance."""

from __future__ import annotations

from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.status import in_words

FRESH_S = 2
"""Older numbers are told to be: the node did not answer."""


@click.group()
def _alone() -> None:
    pass


@verb(_alone, "status")
@click.option("--check", is_flag=True, help="Exit 1 when something needs attention, for a monitoring system.")
def command(office: Office, check: bool) -> None:
    """Whether the node runs, its doors, workers, queue, bad mail, peers, disk and certificates.

    Exits 0 whether the node runs or not, with --check only when nothing needs attention.
    """
    facts = office.desk.status()
    if office.json:
        office.facts(facts)
    else:
        _show(facts)
    if check and facts["attention"]:
        raise SystemExit(1)


def _show(facts: Facts) -> None:
    click.echo(_headline(facts))
    click.echo()
    if facts["doors"]:
        output.show_table(_doors(facts), ("door", "address", "open", "since start"))
        click.echo()
    if len(facts["workers"]) > 1:
        output.show_table(facts["workers"], ("pid", "connections", "since", "restarts", "longest_turn_ms"))
        click.echo()
    output.show_facts(_rest(facts))
    if facts["attention"]:
        click.echo("\nNeeds attention:")
        for sentence in facts["attention"]:
            first, *more = output.broken(output.words(sentence), 2)
            click.echo("\n".join([f"- {first}", *(f"  {line}" for line in more)]))


def _headline(facts: Facts) -> str:
    if not facts["running"]:
        return f"{facts['host']} does not run."
    version = f"unitymail {facts['version']}, " if facts["version"] else ""
    since = f", since {facts['since']}" if facts["since"] else ", not ready yet"
    age = f" Its numbers are {in_words(facts['told_s'])} old." if (facts["told_s"] or 0) > FRESH_S else ""
    return f"{facts['host']} runs: {version}process {facts['pid']}{since}.{age}"


def _doors(facts: Facts) -> list[Facts]:
    rows = [
        {"door": door, "address": address, "open": facts["connections"][door]["open"],
         "since start": facts["connections"][door]["total"]} for door, address in facts["doors"].items()
    ]  # fmt: skip
    if facts["metrics"]:
        rows.append({"door": "metrics", "address": f"http://{facts['metrics']}/metrics", "open": "", "since start": ""})
    return rows


def _rest(facts: Facts) -> Facts:
    """In the words of people; what a node that is down cannot tell is left out."""
    shown: dict[str, Any] = {}
    if facts["running"]:
        shown["mail"] = f"{facts['received']} messages accepted, {facts['delivered']} delivered"
        shown["sign-ins"] = f"{facts['sign_ins']['failed']} failed"
    oldest = f", the oldest for {in_words(facts['queue_oldest_s'])}" if facts["queue_oldest_s"] else ""
    shown["queue"] = f"{facts['queue']} waiting{oldest}" if facts["queue"] else "empty"
    shown["shunted"] = facts["shunted"]
    shown["bad mail"] = facts["bad_mail"]
    shown["users"] = (
        f"{facts['sign_ins']['users_failing']} gave a wrong password within the hour, "
        f"{facts['sign_ins']['locked']} locked now"
    )
    shown["peers"] = [f"{peer['name']} ({peer['host']}:{peer['port']})" for peer in facts["peers"]] or "none"
    shown["disk"] = f"{facts['free_disk_mib']} MiB left" if facts["free_disk_mib"] is not None else "cannot be read"
    shown["certificates"] = "\n".join(map(_certificate, facts["certificates"])) or "none that can be used"
    if facts["running"]:
        shown["troubles"] = facts["troubles"]
        turns = f"{facts['longest_turn_ms']} ms, {facts['long_turns']} over 10 ms"
        shown["longest turn"] = turns if facts["longest_turn_ms"] is not None else ""
    shown["directory"] = f"change {facts['directory_usn']}"
    return shown


def _certificate(one: Facts) -> str:
    names = ", ".join(one["names"]) or one["file"]
    return f"{names}: {one['days']} days left" if one["days"] >= 0 else f"{names}: expired"
