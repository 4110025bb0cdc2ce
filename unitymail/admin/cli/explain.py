"""`unitymail explain`: what would become of a message, and why, without sending it."""

from __future__ import annotations

import mmap
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.explained_words import handed_in, in_words
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations.explain import Question, ask, assumed_origin, of_trust, signed_in
from unitymail.admin.operations.explained import as_facts
from unitymail.admin.operations.names import peer_id
from unitymail.interfaces.book import IBook
from unitymail.interfaces.directory import NotFound
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.part import Octets
from unitymail.routing.decision import Origin, Trust

WITHOUT_SIGN_IN = ("trusted", "stranger", "smart-host")
NOTIFY = ("never", "success", "failure", "delay")
_ADDRESS = re.compile(r'(?:"[^"]+"|[^\s"<>@,;]+)@(?:\[[0-9A-Za-z.:]+\]|[^\s"<>@,;.]+(?:\.[^\s"<>@,;.]+)*)').fullmatch


@click.group()
def _alone() -> None:
    pass


def _notify(context: click.Context, parameter: click.Parameter, text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    words = {word.strip().lower() for word in text.split(",")}
    if not words <= set(NOTIFY) or ("never" in words and len(words) > 1):
        raise click.BadParameter(f"never, or some of {', '.join(NOTIFY[1:])} with commas between them")
    return frozenset(word.upper() for word in words)


@verb(_alone, "explain")
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="The envelope sender; '<>' for none.")
@click.option("--to", "recipients", required=True, multiple=True, metavar="ADDRESS...",
              help="The recipients; --to may be repeated too.")  # fmt: skip
@click.option("--as", "who", metavar="WHO", help="Who hands it in: a user's ALIAS (signed in), trusted, stranger, "
              "smart-host or peer:NAME. Default: the sender's mail program, or a trusted phone system.")  # fmt: skip
@click.option("--notify", callback=_notify, metavar="WORDS",
              help="What the sender asked to hear: never, or success,failure,delay.")  # fmt: skip
@click.argument("more", metavar="", nargs=-1)
@click.argument("file", metavar="FILE.eml", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def command(
    office: Office, sender: str, recipients: tuple[str, ...], who: str | None, notify: frozenset[str] | None,
    more: tuple[str, ...], file: str,
) -> None:
    """What would happen to the message in FILE.eml (- for standard input): each decision with its reason.

    The node's own rules, directory and mailboxes decide, as they are now. Nothing is sent and nothing is written.
    """
    book = office.desk.book
    recipients += more
    sender = _address(sender) if sender not in ("", "<>") else ""
    recipients = tuple(_address(one if "@" in one else f"{one}@{book.domain}") for one in recipients)
    origin, assumed = _origin(office, who, sender, book)
    whole = tuple(Recipient(address, notify=notify) for address in recipients)
    plain = all(address.isascii() for address in (sender, *recipients))
    with _octets(file) as octets:
        envelope = Envelope(sender, whole, body="8bitmime", smtputf8=not plain)
        answer = ask(Question(octets, envelope, origin, office.desk.host), book, office.desk.usage)
        facts = as_facts(answer, book)
        if office.json:
            output.show_json(facts)
            return
        click.echo(f"{'Assumed: h' if assumed else 'H'}anded in by {handed_in(origin, book)}.\n")
        for line in in_words(answer, facts, octets, book):
            output.say(line)


def _address(text: str) -> str:
    address = text[1:-1] if text[:1] + text[-1:] == "<>" else text
    if not _ADDRESS(address):
        raise click.UsageError(f"{text!r} is no mail address; write it as name@domain.")
    return address


def _origin(office: Office, who: str | None, sender: str, book: IBook) -> tuple[Origin, bool]:
    """Who hands it in, and whether that was assumed."""
    if who is None:
        return assumed_origin(sender, book), True
    if who in WITHOUT_SIGN_IN:
        return of_trust(cast(Trust, who)), False
    kind, colon, name = who.partition(":")
    if colon and kind == "peer":
        with office.desk.directory.read() as view:
            return of_trust("peer", peer=peer_id(view, name)), False
    user = book.user_named(name if colon and kind == "user" else who)
    if user is None:
        raise NotFound(
            f"There is no user named {who}; --as takes a user's alias, {', '.join(WITHOUT_SIGN_IN)} or peer:NAME."
        )
    return signed_in(user), False


@contextmanager
def _octets(file: str) -> Iterator[Octets]:
    """The message with CRLF line ends; a file that an editor wrote has none, and is taken for one with them."""
    if file == "-":
        yield _with_crlf(sys.stdin.buffer.read())
        return
    with open(file, "rb") as opened:
        if not os.fstat(opened.fileno()).st_size:
            yield b""
            return
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped if mapped.find(b"\r\n") >= 0 else _with_crlf(mapped[:])


def _with_crlf(octets: bytes) -> bytes:
    return octets if b"\r\n" in octets or b"\r" in octets else octets.replace(b"\n", b"\r\n")
