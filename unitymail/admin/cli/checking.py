"""`unitymail mailbox check`: what is said of mailboxes that are examined, and perhaps mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.errors import Trouble
from unitymail.people.user import User

COLUMNS = ("alias", "folder", "kind", "what", "mended")
INBOX = "INBOX"


def users_here(office: Office) -> list[User]:
    """Those whose mailboxes are on this node, by alias."""
    with office.desk.directory.read() as view:
        return sorted((user for user in view.all(User) if not user.home), key=lambda user: user.alias)


def check(office: Office, users: Sequence[User], *, repair: bool, quick: bool, everybody: bool) -> None:
    """One mailbox after the other; trouble with one does not keep the others waiting."""
    told = []
    with output.progress("checking", None) as advance:
        for user in users:
            told.append(_checked(office, user, repair, quick, advance))
    if office.json:
        output.show_json(told if everybody else told[0])
    else:
        _say(told)
    if not all(facts["sound"] for facts in told):
        click.get_current_context().exit(1)


def _checked(office: Office, user: User, repair: bool, quick: bool, advance: Any) -> Facts:
    desk = office.desk
    account = desk.store.account(user.id)
    try:
        done = desk.examine(account, repair=repair, quick=quick, advance=advance)
    except Trouble as trouble:
        finding = {"kind": "trouble", "folder": "", "what": f"it could not be examined: {trouble}", "mended": False}
        return {"alias": user.alias, "sound": False, "messages": 0, "findings": [finding]}
    for name in {finding.folder or INBOX for finding in done.findings if finding.mended}:
        desk.ring(user.id, name)
    findings = [
        {"kind": one.kind, "folder": one.folder, "what": one.what, "mended": one.mended} for one in done.findings
    ]
    return {"alias": user.alias, "sound": done.is_sound, "messages": done.messages, "findings": findings}


def _say(told: Sequence[Facts]) -> None:
    rows = [{"alias": facts["alias"], **finding} for facts in told for finding in facts["findings"]]
    if rows:
        output.show_table(rows, COLUMNS)
    messages = sum(facts["messages"] for facts in told)
    mended = sum(row["mended"] for row in rows)
    who = told[0]["alias"] if len(told) == 1 else f"{len(told)} mailboxes"
    words = f"Checked {messages} messages of {who}: "
    if not rows:
        words += "nothing is wrong."
    elif mended == len(rows):
        words += f"{mended} problem{'s were' if mended > 1 else ' was'} mended."
    else:
        words += f"{len(rows) - mended} of {len(rows)} problems left."
        if not mended:
            words += " With --repair they are mended as far as possible."
    output.say(words)
