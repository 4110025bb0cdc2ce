"""The message actions, one file each, found here: a new action is a new file that provides `IMessageAction`."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from unitymail.interfaces.message_action import IMessageAction
from unitymail.people.user import Action


def discover() -> dict[Action, IMessageAction]:
    """Every action of this package, by the `Action` that it is."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {module.action: module for module in modules if IMessageAction.providedBy(module)}
