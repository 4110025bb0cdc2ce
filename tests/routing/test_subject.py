"""The Subject of a message that came without one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ROBIN, FakeUsage
from tests.routing.letters import CHRIS_AT, JO, LONDON, SIGNED_IN, SITE, TRUSTED, book, envelope, message
from unitymail.mail.headers import decode
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.mail.writing import unstructured
from unitymail.routing.decide import decide
from unitymail.routing.subject import filled, subject_for

OUTSIDE = "someone@elsewhere.example"
OPEN = replace(SITE, unknown_sender="accept")


def subject(letter, to=None, origin=SIGNED_IN, site=SITE, objects=()):
    to = to or envelope(CHRIS_AT)
    people = book(*objects, site=site)
    return subject_for(decide(letter, to, origin, people, FakeUsage()), to, people)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "Message from Robin Smith [1041]"),
        ({"subject": "  "}, "Message from Robin Smith [1041]"),
        ({"subject": "Hello"}, None),
        ({"importance": Importance.HIGH}, "Urgent Message from Robin Smith [1041]"),
        ({"sensitivity": Sensitivity.PRIVATE}, "Private Secure Message from Robin Smith [1041]"),
        ({"secure": True, "importance": Importance.HIGH}, "Urgent Secure Message from Robin Smith [1041]"),
        ({"category": Category.EMAIL}, "Message from Robin Smith [1041]"),
        ({"category": Category.RECEIPT}, None),
    ],
)
def test_from_a_user(facts, expected):
    """The shipped format between users: marks, display name, extension; a Subject that says something stays."""
    assert subject(replace(message(), **facts)) == expected


@pytest.mark.parametrize(
    ("sender", "category", "shown", "expected"),
    [
        (OUTSIDE, Category.VOICE, "Pat Outside", "Voice message from Pat Outside"),
        ("+441632960123@elsewhere.example", Category.VOICE, "", "Voice message from +441632960123"),
        (None, Category.VOICE, "", "Voice message from an unknown caller"),
        (OUTSIDE, Category.FAX, "Fax Office", "Fax from Fax Office"),
        (OUTSIDE, Category.EMAIL, "Pat Outside", "Message from Pat Outside [Pat Outside]"),
    ],
)
def test_from_outside(sender, category, shown, expected):
    """What is spoken is a voice message from a number, else a name; e-mail is never called a voice message."""
    letter = message(category, sender, display_from=shown)
    assert subject(letter, envelope(CHRIS_AT, sender=sender or OUTSIDE), TRUSTED, OPEN) == expected


def test_from_a_vpim_contact():
    """The contact's name stands for the number."""
    site = replace(SITE, subject_outside="%NAME% (%EXTENSION%) for %CALLEDID%")
    letter = message(sender="8882233@london.example.org")
    to = envelope(CHRIS_AT, sender="8882233@london.example.org")
    assert subject(letter, to, TRUSTED, site) == "Jo Poole (2233) for 1042"
    stranger = message(sender="8889@london.example.org")
    assert subject(stranger, to, TRUSTED, site, objects=(LONDON,)) == "8889 (8889) for 1042"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%NAME%", "an unknown sender"), ("%EXTENSION%", "no extension"), ("%CALLERID%", "an unknown caller"),
        ("%D%", ""), ("%U%%P%%S%", ""),
    ],
)
def test_what_is_not_known_has_its_own_words(text, expected):
    """A message from nobody: each token's text for that; marks that do not hold vanish."""
    site = replace(OPEN, subject_outside=text)
    assert subject(message(sender=None), envelope(CHRIS_AT, sender=""), TRUSTED, site) == expected


def test_a_contact_with_an_extension_here():
    """It is what people dial, so it comes before the number of the mailbox there."""
    site = replace(SITE, subject_outside="%NAME% (%EXTENSION%)")
    address = "8882233@london.example.org"
    to = envelope(CHRIS_AT, sender=address)
    jo = replace(JO, extension="5511")
    assert subject(message(sender=address), to, TRUSTED, site, objects=(jo,)) == "Jo Poole (5511)"


def test_names_in_any_script():
    """They are text here; how a header field holds them is `mail.writing`'s."""
    robin = replace(ROBIN, display_name="Zo\u00eb \u674e")
    assert subject(message(), objects=(robin,)) == "Message from Zo\u00eb \u674e [1041]"
    head = unstructured("Subject", subject(message(), objects=(robin,)))
    assert head.isascii()
    assert decode(head.partition(b":")[2]) == "Message from Zo\u00eb \u674e [1041]"


def test_several_recipients_are_not_one():
    """%CALLEDID% with several recipients is the unknown text, since all share one file."""
    site = replace(SITE, subject_user="for %CALLEDID%")
    assert subject(message(), envelope(CHRIS_AT), site=site) == "for 1042"
    assert subject(message(), envelope(CHRIS_AT, "terry@vm1.example.com"), site=site) == "for several recipients"
    assert subject(message(), envelope("team@vm1.example.com"), site=site) == "for Team"
    assert subject(message(), envelope("nobody@vm1.example.com"), site=site) == "for nobody@vm1.example.com"


def test_tokens_nobody_knows_stay():
    """A typing mistake of the administrator shows."""
    assert filled("%NAEM% [%CALLERID%] ()", {"CALLERID": ""}) == "%NAEM%"


@given(st.text(), st.dictionaries(st.sampled_from(["NAME", "U", "CALLERID"]), st.text()))
def test_a_filled_format_is_one_line(text, values):
    """Whatever names hold, no line end and no doubled blank comes out."""
    subject = filled(text, values)
    assert subject == " ".join(subject.split())
