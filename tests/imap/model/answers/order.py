"""The orders of SORT and the threads of THREAD (RFC 5256, RFC 5957), as simply as the RFC words them."""

from itertools import groupby

from tests.imap.model.letters import NOTHING
from tests.imap.thread.rfc_model import threads as by_references

VALUES = {
    "ARRIVAL": lambda letter: letter.arrived,
    "DATE": lambda letter: letter.sent,
    "SIZE": lambda letter: len(letter.octets),
    "SUBJECT": lambda letter: letter.base,
    "FROM": lambda letter: letter.people[0].upper(),
    "TO": lambda letter: letter.people[1].upper(),
    "CC": lambda letter: letter.people[2].upper(),
    "DISPLAYFROM": lambda letter: letter.shown[0].upper(),
    "DISPLAYTO": lambda letter: letter.shown[1].upper(),
}


def letter_of(client, known):
    """Who is not told yet that a message is gone sorts it as one without fields."""
    return known.letter if known.uid in client.box.by_uid() else NOTHING


def arranged(client, found, program):
    """By (criterion, whether reversed), the most important one first; equal ones stay in the order of the mailbox."""
    for criterion, reverse in reversed(program):
        value = VALUES[criterion]
        found = sorted(found, key=lambda one, value=value: value(letter_of(client, one[1])), reverse=reverse)
    return found


def thread(client, key, found, by_uid, algorithm):
    lines = client.learn() if key.modseq else []
    letters = [letter_of(client, known) for _, known in found]
    trees = {"REFERENCES": _by_references, "ORDEREDSUBJECT": _by_subject}[algorithm](letters)
    names = [str(known.uid if by_uid else number) for number, known in found]
    text = "".join(f"({_spelled(tree, names)})" for tree in trees)
    return [*lines, "* THREAD" + f" {text}" * bool(text)], "OK"


def _by_references(letters):
    return by_references([letter.threaded() for letter in letters])


def _by_subject(letters):
    """Sorted by base subject and sent date, cut where the subject changes, threads sorted by their first date."""
    def subject(at):
        return letters[at].base

    def sent(at):
        return letters[at].sent

    order = sorted(sorted(range(len(letters)), key=sent), key=subject)
    groups = [list(group) for _, group in groupby(order, key=subject)]
    groups.sort(key=lambda group: (sent(group[0]), group[0]))
    return [(first, [(at, []) for at in others]) for first, *others in groups]


def _spelled(tree, names):
    """RFC 5256, 4: a chain without parentheses, the branches of a fork each in its own."""
    number, children = tree
    own = [] if number is None else [names[number]]
    if len(children) == 1 and number is not None:
        return " ".join([*own, _spelled(children[0], names)])
    branches = "".join(f"({_spelled(child, names)})" for child in children)
    return " ".join([*own, *([branches] if branches else [])])
