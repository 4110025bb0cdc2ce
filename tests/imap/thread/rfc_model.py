"""THREAD=REFERENCES the slow way: the six steps of RFC 5256, 3 taken one after the other, with objects and recursion.

Shares nothing with the code it checks but the question.
"""

from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True)
class Message:
    """`id` None for none; `subject` "" for an empty base subject; `sent` is any number."""

    id: object = None
    references: tuple = ()
    subject: str = ""
    reply: bool = False
    sent: int = 0


@dataclass(eq=False)
class Node:
    number: int | None = None
    message: Message | None = None
    parent: "Node | None" = None
    children: list = field(default_factory=list)

    @property
    def dummy(self):
        return self.message is None

    def descends_from(self, other):
        node = self
        while node is not None:
            if node is other:
                return True
            node = node.parent
        return False

    def adopt(self, child):
        child.leave()
        child.parent = self
        self.children.append(child)

    def leave(self):
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent = None


def threads(messages):
    """The children of the root as (number or None, children), nested; numbers count from 0."""
    root = Node()
    for node in _linked(messages):
        if node.parent is None:
            root.adopt(node)
    while _prune_one(root, root):
        pass
    for child in root.children:
        if child.dummy:
            child.children.sort(key=_date)
    root.children.sort(key=_date)
    _merge(root)
    _sort(root)
    return [_as_value(child) for child in root.children]


def _linked(messages):
    """Step 1."""
    nodes, named = [], {}
    for number, message in enumerate(messages):
        node = Node(number, message)
        nodes.append(node)
        if message.id is not None and message.id not in named:
            named[message.id] = node
    for node in list(nodes):
        referred = []
        for name in node.message.references:
            if name not in named:
                named[name] = Node()
                nodes.append(named[name])
            referred.append(named[name])
        for above, below in pairwise(referred):
            if below.parent is None and not above.descends_from(below):
                above.adopt(below)
        node.leave()
        if referred and not referred[-1].descends_from(node):
            referred[-1].adopt(node)
    return nodes


def _prune_one(node, root):
    """Step 3, one dummy; whether there was one to be pruned."""
    for child in node.children:
        if _prune_one(child, root):
            return True
        if child.dummy and (not child.children or node is not root or len(child.children) == 1):
            child.leave()
            for grandchild in list(child.children):
                node.adopt(grandchild)
            return True
    return False


def _date(node):
    first = node.children[0] if node.dummy else node
    return first.message.sent, first.number


def _subject(node):
    return (node.children[0] if node.dummy else node).message.subject


def _merge(root):
    """Step 5."""
    table = {}
    for node in root.children:
        subject = _subject(node)
        if not subject:
            continue
        other = table.get(subject)
        if other is None or (
            not other.dummy and (node.dummy or (other.message.reply and not node.message.reply))
        ):
            table[subject] = node
    for node in list(root.children):
        if node.parent is not root or not _subject(node) or table[_subject(node)] is node:
            continue
        other = table[_subject(node)]
        if node.dummy and other.dummy:
            for child in list(node.children):
                other.adopt(child)
            node.leave()
        elif other.dummy or (node.message.reply and not other.message.reply):
            other.adopt(node)
        else:
            dummy = Node()
            table[_subject(node)] = dummy
            root.adopt(dummy)
            dummy.adopt(other)
            dummy.adopt(node)


def _sort(node):
    """Step 6."""
    for child in node.children:
        _sort(child)
    node.children.sort(key=_date)


def _as_value(node):
    return node.number, [_as_value(child) for child in node.children]
