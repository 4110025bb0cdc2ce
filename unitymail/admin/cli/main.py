"""The command `unitymail`: its global options, and the verb groups found beside this file.

Each module of this package with a `command` is a verb group; a new one is one new file. Refuses to know what they do.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import click

from unitymail import __version__
from unitymail.admin import cli
from unitymail.admin.cli.office import Office, OpenDesk


def commands() -> Iterator[click.Command]:
    """Every `command` in this package."""
    for module in pkgutil.iter_modules(cli.__path__):
        found = getattr(import_module(f"{cli.__name__}.{module.name}"), "command", None)
        if isinstance(found, click.Command):
            yield found


def command_line(open_desk: OpenDesk) -> click.Group:
    """The whole command line. `open_desk(config)` opens the node whose file is named by -c."""

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.option("-c", "--config", metavar="FILE", help="The node's unitymail.toml.")
    @click.option("--json", is_flag=True, help="Print JSON instead of tables.")
    @click.version_option(__version__)
    @click.pass_context
    def unitymail(context: click.Context, config: str | None, json: bool) -> None:
        """Administer a unitymail node. Works while the node runs, and takes effect at once."""
        context.obj = Office(open_desk, config, json=json)
        context.call_on_close(context.obj.close)

    for command in commands():
        unitymail.add_command(command)
    return unitymail
