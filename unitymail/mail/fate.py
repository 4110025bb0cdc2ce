"""What became of one recipient, as RFC 3464 2.3 tells it. Refuses to know who decided it, or how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient, for a report. `action` and `status` as in RFC 3464 2.3.

    `cause` is one sentence for a person; `diagnostic` is the next hop's own reply ("" when nobody replied).
    """

    address: str
    action: Literal["failed", "delayed", "delivered", "relayed", "expanded"]
    status: str
    cause: str
    diagnostic: str = ""
    remote_mta: str = ""
    orcpt: str = ""
