"""The twistd plugin's half: options in, a service out. Kept light, so that `twistd --help` stays quick."""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import IService
from twisted.python import usage

from unitymail.settings.node import BadSettings, NodeSettings, read_node


def settings_from(path: str) -> NodeSettings:
    """The settings in the file at `path`; raises OSError or BadSettings."""
    with open(path, encoding="utf-8-sig") as file:  # some editors put a mark before the text
        text = file.read()
    return read_node(text, os.path.dirname(os.path.abspath(path)), lambda file: os.access(file, os.R_OK))


class Options(usage.Options):
    synopsis = "[options]"
    longdesc = "A mail node for unified messaging. `unitymail init DIR` makes a node and its settings file."
    optParameters = [["config", "c", None, "The node's settings file, DIR/unitymail.toml"]]
    optFlags = [["check", None, "Read everything, report every complaint with its line, and exit 0 or 1"]]

    node: NodeSettings

    def postOptions(self) -> None:
        path: Any = self["config"]
        if not path:
            raise usage.UsageError("say which node: --config DIR/unitymail.toml (`unitymail init DIR` makes one)")
        try:
            self.node = settings_from(path)
        except OSError as error:
            complaints = [f"{path}: {error.strerror}"]
        except UnicodeDecodeError:
            complaints = [f"{path}: not UTF-8 text"]
        except BadSettings as bad:
            complaints = [f"{path}: {complaint}" for complaint in bad.complaints]
        else:
            complaints = self._look_deeper() if self["check"] else []
        if self["check"]:
            print("\n".join(complaints) or f"{path}: all is well")
            raise SystemExit(1 if complaints else 0)
        if complaints:
            raise SystemExit("\n".join(f"unitymail: {complaint}" for complaint in complaints))

    def _look_deeper(self) -> list[str]:
        from unitymail.node import complaints_of

        return complaints_of(self.node)


def makeService(options: Options) -> IService:
    from twisted.internet import reactor

    from unitymail.node import Node

    return Node(options.node, reactor)
