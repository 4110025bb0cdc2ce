"""`unitymail location`: VPIM locations, voice-mail systems elsewhere."""

from __future__ import annotations

import click

from unitymail.admin.cli.options import PARTITION, switch, wish
from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations.locations import LOCATIONS, LocationWish


@click.group("location")
def command() -> None:
    """VPIM locations: voice-mail systems elsewhere that messages are exchanged with."""


Usual(
    command,
    LOCATIONS,
    ("name", "domain", "host", "port", "dial_id", "home", "partition", "scope"),
    (
        click.option("--domain", metavar="D", help="Its SMTP domain; not ours, nor one that ends with ours."),
        click.option("--host", metavar="H", help="Where to connect; '' sends through the smart host."),
        click.option("--port", metavar="N", type=click.IntRange(1, 65_535), help="25, unless given."),
        click.option("--dial-id", metavar="N", help="3 digits or more: DialID+mailbox@our-domain is there."),
        click.option("--remote-prefix", metavar="P", help="Digits before its mailbox numbers in addresses."),
        click.option("--local-prefix", metavar="P", help="Digits that it dials before our extensions."),
        PARTITION,
        click.option("--scope", metavar="S", help="The search scope: which of our users its senders reach."),
        click.option("--home", metavar="SERVER", help="The peer that exchanges mail with it; '' is this node."),
        switch("blind-addressing", "Let users write to numbers there that are no contacts."),
        switch("allow-secure", "Send secure messages there, as regular ones."),
        switch("fax", "Keep fax images for it."),
        switch("swap-code-words", "It writes G.726 with the first code word in the high bits."),
        click.option("--audio", type=click.Choice(["g726", "mu-law"]), help="What it is sent; g726, unless given."),
        switch("create-contacts", "Make a contact of each sender there."),
        switch("create-without-name", "Make contacts of senders whose messages bring no spoken name too."),
        click.option("--modify-contacts", type=click.Choice(["never", "name", "always"]),
                     help="Change contacts with its messages: never, when the text name changes, or with each."),
        switch("delete-contacts", "Delete a contact that it reports as unknown."),
        switch("send-spoken-name", "Send the sender's recorded name along."),
        switch("voice-only", "Send voice messages only, no e-mail whatever it encloses."),
    ),
    lambda office, given: wish(LocationWish, given),
    needed=("domain",),
).all()  # fmt: skip
