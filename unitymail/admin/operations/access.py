"""The IP access list."""

from __future__ import annotations

from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import IDirectory, NotFound
from unitymail.people.access import AccessRule


def access_facts(rule: AccessRule) -> Facts:
    return {"pattern": rule.pattern, "allow": rule.allow, "legacy": rule.legacy}


def add_rule(directory: IDirectory, pattern: str, *, allow: bool, legacy: bool, who: str) -> Done:
    """A rule for the same pattern takes the place of the one before."""
    with directory.change(who) as change:
        rule = change.add(AccessRule(pattern, allow, legacy))
        return Done(change.usn, access_facts(rule))


def remove_rule(directory: IDirectory, pattern: str, *, who: str) -> Done:
    with directory.change(who) as change:
        rule = change.named(AccessRule, pattern)
        if rule is None:
            raise NotFound(f"There is no access rule for {pattern}; `unitymail access list` lists them.")
        change.delete(AccessRule, rule.pattern)
        return Done(change.usn, {"pattern": rule.pattern, "deleted": True})


def all_rules(directory: IDirectory) -> list[Facts]:
    with directory.read() as view:
        return [access_facts(rule) for rule in view.all(AccessRule)]
