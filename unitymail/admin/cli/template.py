"""`unitymail template`: what new users get."""

from __future__ import annotations

import click

from unitymail.admin.cli.options import DISPLAY_NAME, FIRST_NAME, LAST_NAME, RULES, wish
from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations.templates import TEMPLATES
from unitymail.admin.operations.wish import UserWish


@click.group("template")
def command() -> None:
    """User templates. %Alias%, %FirstName%, %LastName%, %DisplayName% and %Extension% are filled for each user."""


Usual(
    command,
    TEMPLATES,
    ("name", "display_name", "cos", "partition", "scope", "home", "relay_address"),
    (FIRST_NAME, LAST_NAME, DISPLAY_NAME, *RULES),
    lambda office, given: wish(UserWish, given),
).all()
