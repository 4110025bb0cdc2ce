"""The base subject is what RFC 5256, 2.1 says, to the letter."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.base_subject import base_subject


@pytest.mark.parametrize(("subject", "base", "reply"), [
    ("lunch", "lunch", False),
    ("Re: lunch", "lunch", True),
    ("RE : lunch", "lunch", True),
    ("re[2]: lunch", "lunch", True),
    ("Fw: lunch", "lunch", True),
    ("fwd [list] : lunch", "lunch", True),
    ("Re: re: FWD:  lunch \t time ", "lunch time", True),
    ("lunch (fwd)", "lunch", True),
    ("lunch (FWD) (fwd) ", "lunch", True),
    ("[fwd: lunch]", "lunch", True),
    ("[Fwd: Re: [list] lunch (fwd) ]", "lunch", True),
    ("Re: [fwd: [Fwd: lunch]]", "lunch", True),
    ("[list] lunch", "lunch", False),
    ("[a] [b]lunch", "lunch", False),
    ("[a] Re: [b] lunch", "lunch", True),
    ("[only]", "[only]", False),
    ("[a][b]", "[b]", False),
    ("Re: [a] [b] ", "[b]", True),
    ("[fwd: x] lunch", "lunch", False),
    ("[a [b] c] lunch", "[a [b] c] lunch", False),
    ("[Köln] Re: Grüße", "Grüße", True),
    ("", "", False), (" \t ", "", False), ("Re:", "", True), ("(fwd)", "", True), ("[fwd:]", "", True),
    ("Re", "Re", False), ("Regarding: lunch", "Regarding: lunch", False), ("Re lunch", "Re lunch", False),
    ("AW: lunch", "AW: lunch", False), ("lunch (fwd", "lunch (fwd", False), ("x Re: y", "x Re: y", False),
    ("[fwd: lunch", "[fwd: lunch", False), ("fw[: lunch", "fw[: lunch", False),
    ("ＲＥ: lunch", "ＲＥ: lunch", False), ("\N{NO-BREAK SPACE}x", "\N{NO-BREAK SPACE}x", False),
])
def test_examples(subject, base, reply):
    """What replying, forwarding and lists put around a subject goes, and nothing else."""
    assert base_subject(subject) == (base, reply)


BLOB = r"\[[^\[\]]*\][ \t]*"


def slow(subject):
    """The seven steps as the RFC words them, one pattern at a time."""
    text = re.sub(r" +", " ", subject.replace("\t", " "))
    reply = False
    while True:
        while found := re.search(r"(\(fwd\)|[ \t])\Z", text, re.IGNORECASE):
            reply |= found[0] not in " \t"
            text = text[: found.start()]
        changed = True
        while changed:
            changed = False
            while found := re.match(rf"(?:{BLOB})*(?:re|fwd?)[ \t]*(?:{BLOB})?:|[ \t]", text, re.IGNORECASE | re.ASCII):
                reply |= found[0] not in " \t"
                text = text[found.end() :]
                changed = True
            if (found := re.match(BLOB, text)) and text[found.end() :]:
                text = text[found.end() :]
                changed = True
        if len(text) < 6 or text[:5].lower() != "[fwd:" or text[-1] != "]":
            return text, reply
        text, reply = text[5:-1], True


pieces = st.sampled_from(
    ["re", "Fw", "fwd", "Fwd:", "Re:", ":", "[", "]", "[a]", "[fwd:", "(fwd)", " ", "  ", "\t", "x", "é"]
)


@given(st.lists(pieces, max_size=14).map("".join))
def test_as_the_rfc_words_it(subject):
    """Whatever is strung together, the steps of the RFC taken literally give the same."""
    assert base_subject(subject) == slow(subject)


@given(st.text())
def test_any_text(subject):
    """Any text has a base subject, which has itself none but itself."""
    base, _ = base_subject(subject)
    assert base == base_subject(base).text or base_subject(base).text in base
    assert base == slow(subject)[0]


@pytest.mark.parametrize("piece", ["[a]", "re:", "[fwd:", "(fwd)", "[", "[fwd:[a]", "[a] re", "fw[x]:", " \t"])
def test_hostile_subjects(piece):
    """The longest subject that is read takes no longer than its length allows."""
    subject = piece * (65_536 // len(piece))
    began = time.process_time()
    base_subject(subject)
    base_subject(subject + "]" * 10_000)
    assert time.process_time() - began < 0.5
