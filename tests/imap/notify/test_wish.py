"""What a client wants to be notified of: any words are understood or refused, and mean what the RFC says."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from unitymail.imap.mailbox_filter import MailboxFilter
from unitymail.imap.notify.wish import EVENTS, GONE, NAMES, NEW, OF_MESSAGES, Group, Selected, Wish, wish
from unitymail.imap.registry import Bad, No
from unitymail.imap.wire.lexer import BadSyntax, Literal, Reader
from unitymail.interfaces.store import FolderInfo

PERSONAL = MailboxFilter("personal")
BOTH = frozenset({NEW, GONE})


def read(octets):
    return wish(Reader([octets]))


class WishTests(SynchronousTestCase):
    def test_forms(self):
        """Letter case, names in lists, literals, and a space at the end make no difference."""
        self.assertEqual(
            read(b"(PERSONAL (messagenew MESSAGEEXPUNGE)) (Selected-Delayed NONE) "),
            Wish(Selected(frozenset(), True), (Group(PERSONAL, BOTH),)),
        )
        named = wish(Reader([b"(mailboxes (inbox ", Literal(b"Work", False), b") (MailboxName))"]))
        both = MailboxFilter("mailboxes", frozenset({"INBOX", "Work"}))
        self.assertEqual(named.groups, (Group(both, frozenset({NAMES})),))

    def test_several_groups(self):
        """A mailbox has the events of all groups that take it; NONE takes it out."""
        found = read(b"(mailboxes INBOX (MessageNew MessageExpunge)) (personal (MailboxName)) (subtree Junk NONE)")
        self.assertEqual(found.events_of(FolderInfo("INBOX")), {NEW, GONE, NAMES})
        self.assertEqual(found.events_of(FolderInfo("Work")), {NAMES})
        self.assertEqual(found.events_of(FolderInfo("Junk/Old")), frozenset())
        self.assertEqual(
            [found.watches(FolderInfo(name, selectable=there)) for name, there in
             (("INBOX", True), ("INBOX", False), ("Work", True))],
            [True, False, False],
        )  # fmt: skip

    def test_nothing(self):
        """NOTIFY NONE, or only NONE, looks at nothing."""
        self.assertFalse(Wish().looks_around or Wish().hears_of_server)
        self.assertFalse(read(b"(personal NONE)").looks_around)
        self.assertTrue(read(b"(personal (ServerMetadataChange))").hears_of_server)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["personal", "inboxes", "subscribed", "selected", "subtree A", "mailboxes (A B)"]),
                st.lists(st.sampled_from([*EVENTS.values(), "Other", "AnnotationChange"]), min_size=1, max_size=5),
            ),
            min_size=1, max_size=4,
        )
    )  # fmt: skip
    def test_any_events(self, groups):
        """Whatever is asked for is had, or refused for one of the RFC's reasons."""
        said = " ".join(f"({where} ({' '.join(events)}))" for where, events in groups)
        asked = [(where, {EVENTS.get(event.lower()) for event in events}) for where, events in groups]
        try:
            found = read(said.encode())
        except No as refusal:
            self.assertTrue(any(None in events for _, events in asked))
            self.assertTrue(refusal.code.startswith(b"BADEVENT ("))
        except Bad:
            self.assertTrue(
                sum(where == "selected" for where, _ in asked) > 1
                or any(bool(events & {NEW}) != bool(events & {GONE}) for _, events in asked)
                or any(events & OF_MESSAGES and NEW not in events for _, events in asked)
                or any(where == "selected" and events - OF_MESSAGES for where, events in asked)
            )
        else:
            self.assertEqual([group.events for group in found.groups], [e for w, e in asked if w != "selected"])

    @given(st.text(st.sampled_from('() "{}*%\\abcMN\r'), max_size=60) | st.binary(max_size=60).map(repr))
    def test_garbage(self, words):
        """Garbage is refused, never a surprise."""
        for said in (words, f"(personal {words}", f"(selected (MessageNew ({words}) MessageExpunge))"):
            try:
                read(said.encode("utf-8", "replace"))
            except (Bad, BadSyntax, No):
                pass
