"""`unitymail peer`: the other nodes of this site."""

from __future__ import annotations

from typing import Any

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import change_needed
from unitymail.admin.operations import things
from unitymail.admin.operations.peer_probe import Prober
from unitymail.admin.operations.peers import Peers, PeerWish, waiting_for_peers

COLUMNS = ("name", "host", "port", "web_port", "domain", "fingerprint")
STATUS_COLUMNS = ("name", "ok", "host", "port", "tls", "certificate_expires", "waiting", "problem", "remedy")
_PORT = click.IntRange(1, 65_535)


@click.group("peer")
def command() -> None:
    """The other nodes of this site. Both sides add each other, once, by the keys of their certificates."""


def _options(*, needed: bool) -> Any:
    def add(function: Any) -> Any:
        for option in (
            click.option("--fingerprint", required=needed, metavar="SHA256", help="Of its public key, in hexadecimal; "
                         "`peer key` prints it there."),
            click.option("--domain", required=needed, metavar="DOMAIN", help="The domain of its primary addresses."),
            click.option("--web-port", type=click.IntRange(0, 65_535), help="The port of its web console."),
            click.option("--port", required=needed, type=_PORT, help="The port of its SMTP door."),
            click.option("--host", required=needed, metavar="HOST", help="Its name or address, as its certificate has "
                         "it."),
        ):  # fmt: skip
            function = option(function)
        return function

    return add


def _peers(office: Office) -> Peers:
    return Peers(office.desk.ourselves.fingerprint)


@verb(command, "add")
@click.argument("name")
@_options(needed=True)
def add(office: Office, name: str, **options: Any) -> None:
    """Make another node a peer. That node adds this one too: `peer key` prints how."""
    done = things.add(office.desk.directory, _peers(office), name, PeerWish(**options), who=office.desk.who)
    name = done.facts["name"]
    office.done(done, f"Added the peer {name}. `unitymail peer status {name}` tells whether it can be reached.")


@verb(command, "set")
@click.argument("name")
@click.option("--name", "new_name", metavar="NEW", help="The new name.")
@_options(needed=False)
def set_(office: Office, name: str, new_name: str | None, **options: Any) -> None:
    """Change a peer; what is not named stays. A node with a new key gets its new --fingerprint here."""
    change_needed(new_name, *options.values())
    done = things.set_(
        office.desk.directory, _peers(office), name, PeerWish(**options), new_name=new_name, who=office.desk.who
    )
    office.done(done, f"Changed the peer {done.facts['name']}.")


@verb(command, "show")
@click.argument("name")
def show(office: Office, name: str) -> None:
    """One peer, and the VPIM locations whose mail goes through it."""
    office.facts(things.show(office.desk.directory, Peers(), name))


@verb(command, "list")
def list_(office: Office) -> None:
    """All peers."""
    office.table(list(things.all_of(office.desk.directory, Peers())), COLUMNS)


@verb(command, "remove")
@click.argument("name")
def remove(office: Office, name: str) -> None:
    """Remove a peer that is nobody's home. What waits for it in the queue is returned."""
    done = things.delete(office.desk.directory, Peers(), name, who=office.desk.who)
    office.done(done, f"Removed the peer {done.facts['name']}; remove this node there too.")


@verb(command, "key")
def key(office: Office) -> None:
    """Who this node is to its peers, and what to type on another node to make it one."""
    ours = office.desk.ourselves
    facts = ours.facts()
    if office.json:
        office.facts(facts)
        return
    line = facts.pop("command")
    office.facts(facts)
    for note in ours.notes():
        click.echo(f"\n{note}")
    click.echo(f"\nOn the other node type:\n{line}")


@verb(command, "status")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_context
def status(context: click.Context, office: Office, names: tuple[str, ...]) -> None:
    """Try each peer (or those named) with a real connection; what is wrong, and what to do. Exits 1 if anything is."""
    desk = office.desk
    kind = Peers()
    with desk.directory.read() as view:
        chosen = [kind.named(view, name) for name in names] if names else kind.all(view)
    probes = Prober(desk.ourselves, desk.fingerprint_of).all(chosen) if chosen else []
    waiting = waiting_for_peers(desk.queue.items())
    rows = [
        {**probe.facts(), "waiting": None if waiting is None else waiting[probe.peer.id]} for probe in probes
    ]
    office.table(rows, STATUS_COLUMNS)
    if not all(row["ok"] for row in rows):
        context.exit(1)
