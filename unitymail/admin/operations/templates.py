"""User templates: kept, shown, and made into users. Text may hold tokens such as %Alias%."""

from __future__ import annotations

from dataclasses import replace

from unitymail.admin.operations.names import Names
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.things import Kind
from unitymail.admin.operations.user_facts import rule_facts
from unitymail.admin.operations.wish import UserWish, profile
from unitymail.interfaces.directory import IDirectoryView, Refused
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate, filled, tokens_in

RULES = (
    "cos", "partition", "scope", "home", "actions", "quota", "route_ndr", "delegates", "hidden_capabilities",
    "age_messages",
)  # fmt: skip
"""Fields that a user takes over as they are."""


class Templates(Kind[UserTemplate, UserWish]):
    """A wish for a template is a wish for the users made from it."""

    value = UserTemplate

    def wished(self, view: IDirectoryView, thing: UserTemplate, wish: UserWish) -> UserTemplate:
        thing = profile(view, thing, wish)
        return thing if wish.proxy is None else replace(thing, proxies=wish.proxy)

    def facts(self, view: IDirectoryView, thing: UserTemplate, names: Names) -> Facts:
        return {
            "name": thing.name,
            "display_name": thing.display_name,
            "first_name": thing.first_name,
            "last_name": thing.last_name,
            "proxy": list(thing.proxies),
            "corporate_address": thing.corporate_address,
            **rule_facts(thing, names),
            "id": thing.id,
        }


TEMPLATES = Templates()


def user_from(template: UserTemplate, alias: str, wish: UserWish) -> User:
    """The user that the template makes; its tokens are filled from the wish, then from the template's own names."""
    values = {"Alias": alias, "Extension": wish.extension or ""}
    first = wish.first_name or filled(template.first_name, values)
    last = wish.last_name or filled(template.last_name, values)
    values |= {"FirstName": first, "LastName": last}
    display = wish.display_name or " ".join(filled(template.display_name, values).split())
    values["DisplayName"] = display or f"{first} {last}".strip() or alias
    return User(
        "",
        alias,
        "",
        display,
        first,
        last,
        corporate_address="" if wish.corporate_address is not None else _address(template, "corporate", values, alias),
        proxies=() if wish.proxy is not None else _proxies(template, values, alias),
        relay_address="" if wish.relay_address is not None else _address(template, "relay", values, alias),
        **{name: getattr(template, name) for name in RULES},
    )


def ruled_by(template: UserTemplate, user: User, wish: UserWish) -> User:
    """A user who is there already, under the template's rules; names stay, and addresses but the relay address."""
    known = replace(wish, first_name=user.first_name, last_name=user.last_name, display_name=user.display_name)
    made = user_from(template, user.alias, replace(known, extension=user.extension, proxy=(), corporate_address=""))
    given = {name: value for name in RULES if (value := getattr(made, name)) not in ("", ())}
    return replace(user, **given, relay_address=made.relay_address or user.relay_address)


def _proxies(template: UserTemplate, values: dict[str, str], alias: str) -> tuple[str, ...]:
    return tuple(_filled_address(template, "proxy", text, values, alias) for text in template.proxies)


def _address(template: UserTemplate, what: str, values: dict[str, str], alias: str) -> str:
    return _filled_address(template, what, getattr(template, f"{what}_address"), values, alias)


def _filled_address(template: UserTemplate, what: str, text: str, values: dict[str, str], alias: str) -> str:
    for token in tokens_in(text):
        if not values.get(token):
            option = _OPTIONS[token]
            raise Refused(
                f"The template {template.name} makes the {what} address of {alias} as {text}, which needs "
                f"{option}; give it, or give the {what} address."
            )
    return filled(text, values)


_OPTIONS = {
    "Alias": "the alias",
    "FirstName": "--first-name",
    "LastName": "--last-name",
    "DisplayName": "--display-name",
    "Extension": "--extension",
}
