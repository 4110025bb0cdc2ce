"""`unitymail mailbox`: what is in a mailbox, and mail in and out of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from unitymail.admin.cli import checking, output, taking_over, undeleting
from unitymail.admin.cli.formats import must_be
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations.names import the
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.store import IAccount, NoSuchFolder
from unitymail.people.user import User
from unitymail.policy.fullness import level_of

COLUMNS = ("name", "messages", "unseen", "size", "special_use", "subscribed")
INBOX = "INBOX"


@click.group("mailbox")
def command() -> None:
    """Look into a mailbox, check and mend it, bring mail in, take it out."""


def _user(office: Office, alias: str) -> User:
    with office.desk.directory.read() as view:
        user: User = the(view, User, alias)
    if user.home:
        raise Refused(f"The mailbox of {alias} is on its home server; ask there.")
    return user


def _account(office: Office, alias: str) -> IAccount:
    return office.desk.store.account(_user(office, alias).id)


def _folders(account: IAccount) -> list[Facts]:
    rows = []
    for info in account.folders():
        row: Facts = {"name": info.name, "special_use": info.special_use, "subscribed": info.subscribed}
        if info.selectable:
            status = account.folder(info.name).status()
            row |= {
                "messages": status.messages, "unseen": status.unseen, "size": status.size,
                "uidvalidity": status.uidvalidity, "uidnext": status.uidnext, "mailboxid": status.mailboxid,
            }  # fmt: skip
        rows.append({"messages": 0, "unseen": 0, "size": 0, "uidvalidity": 0, "uidnext": 0, "mailboxid": ""} | row)
    return rows


@verb(command, "list")
@click.argument("alias")
def list_(office: Office, alias: str) -> None:
    """The folders of a mailbox."""
    office.table(_folders(_account(office, alias)), COLUMNS)


@verb(command, "stat")
@click.argument("alias")
def stat(office: Office, alias: str) -> None:
    """How full a mailbox is, against the user's quotas."""
    user = _user(office, alias)
    account = office.desk.store.account(user.id)
    folders = _folders(account)
    octets, messages = account.usage()
    office.facts(
        {
            "alias": user.alias,
            "id": user.id,
            "folders": len(folders),
            "messages": messages,
            "unseen": sum(folder["unseen"] for folder in folders),
            "size": octets,
            "quota": {"warning": user.quota.warning, "send": user.quota.send, "receive": user.quota.receive},
            "reached": level_of(octets, user.quota).name.lower(),
            "full": bool(user.quota.receive) and octets >= user.quota.receive,
        }
    )


@verb(command, "reindex")
@click.argument("alias")
def reindex(office: Office, alias: str) -> None:
    """Forget what was read from the messages and look at every file anew; UIDs and flags stay."""
    account = _account(office, alias)
    messages = account.reindex()
    office.desk.ring(account.id, INBOX)
    office.say({"alias": alias, "messages": messages}, f"Read {messages} messages of {alias} anew.")


@verb(command, "check")
@click.argument("alias", required=False)
@click.option("--all", "everybody", is_flag=True, help="Every mailbox of this node, in the place of ALIAS.")
@click.option("--repair", is_flag=True, help="Mend what is found.")
@click.option("--quick", is_flag=True, help="Do not read the messages themselves.")
def check(office: Office, alias: str | None, everybody: bool, repair: bool, quick: bool) -> None:
    """Find what is inconsistent between files and index, and with --repair mend it; clients may work meanwhile.

    Exit code 1 when anything is left to do.
    """
    if (alias is None) != everybody:
        raise click.UsageError("Name the ALIAS of one mailbox, or say --all.")
    users = checking.users_here(office) if alias is None else [_user(office, alias)]
    checking.check(office, users, repair=repair, quick=quick, everybody=everybody)


@verb(command, "undelete")
@click.argument("alias")
@undeleting.IDS
@click.option("--list", "only_list", is_flag=True, help="Show what can come back, and bring back nothing.")
@click.option("--since", metavar="TIME", help="Only what was deleted since: 90m, 2h, 3d, 1w ago, or a date and time.")
@click.option("--folder", default="", help="Only what was in this folder.")
@click.option("--all", "everything", is_flag=True, help="All that can come back.")
def undelete(
    office: Office, alias: str, ids: tuple[int, ...], only_list: bool, since: str | None, folder: str, everything: bool
) -> None:
    """Bring expunged messages back to the folders they were in, while clients may be connected.

    Name them by the IDs that --list shows, or by --since and --folder. They get new UIDs.
    """
    wish = undeleting.wanted(ids, folder, since, office.desk.now)
    if not only_list and wish.says_nothing != everything:
        raise click.UsageError("Name IDs (--list shows them), or say --since, --folder, or --all.")
    account = _account(office, alias)
    (undeleting.list_ if only_list else undeleting.bring_back)(office, alias, account, wish)


_KINDS = click.Choice(["maildir", "mbox"])
_FORMAT = click.option("--format", "kind", type=_KINDS, required=True, help="What PATH is.")


@verb(command, "import")
@click.argument("alias")
@click.argument("path", type=click.Path(exists=True), required=False)
@click.option("--format", "kind", type=_KINDS, help="What PATH is.")
@click.option("--folder", default="", help="Put everything into this folder, or below it.")
@click.option("--in-place", is_flag=True, help="Take over a Maildir++ of Dovecot or Courier, its files as they are.")
@click.option("--dry-run", is_flag=True, help="With --in-place: report the same, and change nothing.")
def import_(
    office: Office, alias: str, path: str | None, kind: str | None, folder: str, in_place: bool, dry_run: bool
) -> None:
    """Bring mail in. What is there already is left out, so that it can be run again after a break.

    With --in-place, flags, keywords, folders, subscriptions and, where that is possible, UIDs are kept, and files are
    linked instead of copied. PATH is left as it was; without PATH, or where it is the folder of the mailbox itself, the
    files stay where they are.
    """
    if in_place:
        if kind == "mbox" or folder:
            raise click.UsageError("--in-place takes over a Maildir with all its folders: no mbox, and no --folder.")
        taking_over.take_over(office, alias, _user(office, alias).id, path, dry_run=dry_run)
        return
    if dry_run:
        raise click.UsageError("--dry-run goes with --in-place.")
    if path is None or kind is None:
        raise click.UsageError("Name PATH and its --format; only with --in-place they may be left out.")
    account = _account(office, alias)
    must_be(kind, path)
    exchange = office.desk.exchange
    if kind == "maildir":
        steps = exchange.import_maildir(account, path, folder)
    else:
        steps = exchange.import_mbox(account, path, folder or INBOX)
    facts = _followed(steps, f"importing into {alias}")
    for name in facts["folders"]:
        office.desk.ring(account.id, name)
    office.desk.count(account.id)
    office.say(
        {"alias": alias, **facts}, f"Imported {facts['taken']} messages into {alias}; {facts['known']} were there."
    )


@verb(command, "export")
@click.argument("alias")
@click.argument("path", type=click.Path())
@_FORMAT
@click.option("--folder", default="", help="Only this folder; an mbox holds one, INBOX unless named.")
@click.option("--include-secure", is_flag=True, help="All of secure and withheld messages.")
def export(office: Office, alias: str, path: str, kind: str, folder: str, include_secure: bool) -> None:
    """Take mail out. Run again, a Maildir gets only what is new.

    Of messages that are secure, or withheld from the user by the class of service, only the headers go out.
    """
    account = _account(office, alias)
    exchange = office.desk.exchange
    if folder:
        _must_exist(account, folder)
    if kind == "maildir":
        steps = exchange.export_maildir(account, path, [folder] if folder else [], include_secure=include_secure)
    else:
        steps = exchange.export_mbox(account, path, folder or INBOX, include_secure=include_secure)
    facts = _followed(steps, f"exporting {alias}")
    words = f"Exported {facts['taken']} messages of {alias}; {facts['known']} were there."
    if facts["withheld"]:
        words += f" {facts['withheld']} secure or withheld ones went without contents (--include-secure takes all)."
    office.say({"alias": alias, **facts}, words)


def _must_exist(account: IAccount, folder: str) -> None:
    try:
        account.folder(folder)
    except NoSuchFolder as error:
        raise Refused(f"There is no folder {folder}; `unitymail mailbox list` lists them.") from error


def _followed(steps: Iterable[Any], what: str) -> Facts:
    """Go through all steps, with a bar; the sums over all folders."""
    newest: dict[str, Any] = {}
    try:
        with output.progress(what, None) as advance:
            for step in steps:
                before = newest.get(step.folder)
                advance(step.taken + step.known - (before.taken + before.known if before else 0))
                newest[step.folder] = step
    except OSError as error:
        raise Refused(f"That cannot be read or written: {error}.") from error
    sums = {name: sum(getattr(step, name) for step in newest.values()) for name in ("taken", "known", "withheld")}
    return {"folders": sorted(newest), **sums}
