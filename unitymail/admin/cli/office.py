"""The frame around every command: which configuration, JSON or not, and how refusals become exit codes.

A verb is made with `@verb(group, "name")`; it gets the `Office` first. Exit codes: 0 done, 1 refused, 2 wrong usage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.desk import Desk
from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.errors import Never, Trouble

OpenDesk = Callable[[str], Desk]


class Office:
    """One run of the command line."""

    def __init__(self, open_desk: OpenDesk, config: str | None, *, json: bool) -> None:
        self._open_desk = open_desk
        self.config = config
        self.json = json
        self._desk: Desk | None = None

    @property
    def desk(self) -> Desk:
        """Opened when a command first needs it."""
        if self._desk is None:
            if self.config is None:
                raise click.UsageError("Which node? Give its file: unitymail -c DIR/unitymail.toml COMMAND …")
            self._desk = self._open_desk(self.config)
        return self._desk

    def close(self) -> None:
        if self._desk is not None:
            self._desk.close()

    def facts(self, facts: Facts) -> None:
        """Show one object."""
        output.show_json(facts) if self.json else output.show_facts(facts)

    def table(self, rows: Sequence[Facts], columns: Sequence[str]) -> None:
        """Show many: all fields in JSON, these columns in the table."""
        output.show_json(rows) if self.json else output.show_table(rows, columns)

    def done(self, done: Done, words: str) -> None:
        """Announce a change, then say that it is done: in words, or as JSON facts."""
        announced = self.desk.announce(done.usn)
        if announced.late:
            late = ", ".join(map(str, announced.late))
            click.echo(f"Done, but process {late} has not taken the change yet; it will within seconds.", err=True)
        self.say(done.facts, words)
        for note in done.notes:
            output.say(note, err=True)

    def say(self, facts: Facts, words: str) -> None:
        """What was done, in words, or as JSON facts."""
        if self.json:
            output.show_json(facts)
        else:
            output.say(words)


class _Refusal(click.ClickException):
    """Exit code 1 and one sentence on standard error."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(output.words(self.format_message()), err=True, file=file)


def _require_text(context: click.Context) -> None:
    """Words that are no UTF-8 can stand for a file, and for nothing else."""
    for parameter in context.command.params:
        given = context.params.get(parameter.name or "")
        words = given if isinstance(given, tuple) else (given,)
        if parameter.type is click.STRING and any(isinstance(word, str) and not _is_text(word) for word in words):
            raise click.BadParameter("that is not UTF-8; see what LANG says of this terminal.", context, parameter)


def _is_text(word: str) -> bool:
    return word.isascii() or not any("\ud800" <= character <= "\udfff" for character in word)


def verb(group: click.Group, name: str, **settings: Any) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command of `group`, with `--json` also after the verb."""

    def make(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        @click.pass_obj
        def run(office: Office, /, *args: Any, json: bool, **kwargs: Any) -> None:
            office.json = office.json or json
            _require_text(click.get_current_context())
            try:
                function(office, *args, **kwargs)
            except Refused as refused:
                raise _Refusal(str(refused)) from refused
            except Never as never:
                raise _Refusal(f"That cannot be done: {never}.") from never
            except Trouble as trouble:
                raise _Refusal(f"That failed for now: {trouble}.") from trouble
            except BrokenPipeError:
                raise
            except OSError as error:
                where = f"{error.filename}: " if error.filename else ""
                raise _Refusal(f"That failed: {where}{error.strerror or error}.") from error

        option = click.option("--json", is_flag=True, help="Print JSON instead of a table.")
        return group.command(name, **settings)(option(run))

    return make
