"""What tells at once that another program has changed a folder, where the system can."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import Interface

# mypy: disable-error-code="misc,empty-body"


class IEyes(Interface):
    def watch(places: Sequence[bytes], changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` soon after something changed in these directories; returns what stops that.

        A hint, as a ring is: where too much is watched already, or the system cannot, nothing is ever called.
        """
