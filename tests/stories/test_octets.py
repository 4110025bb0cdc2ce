"""What a real mail server keeps is what Robin sent, octet for octet, in chunks and line by line."""

import random

import pytest

from tests.stories.house import until
from tests.stories.site import ROBIN, letter, tag

OUT = "terry@elsewhere.example"
ANY = bytes(octet for octet in range(1, 256) if octet not in b"\r\n")
"""What a line may hold: all but NUL, CR and LF."""
DOTS = b"".join(b"." * number + tail for number in range(1, 5) for tail in (b"\r\n", b"x\r\n", ANY + b"\r\n"))
LINE = {"BDAT": 9_000, "DATA": 998}
"""The longest line, without its end: text has a limit, chunks have none."""
OTHER = {"BDAT": "DATA", "DATA": "BDAT"}


def odd(word, length, longest):
    """A letter of about so many octets: dots at many places, so at borders of blocks too, and every octet there is."""
    dice = random.Random(length)
    lines = [letter("email_plain", word, Content_Transfer_Encoding="8bit") + DOTS]
    while (left := length - sum(map(len, lines))) > 0:
        size = min(left, dice.choice([0, 1, 2, 70, longest - 1]))
        lines += [b"." + bytes(dice.choices(ANY, k=size)) + b"\r\n" for _ in range(50)]
    return b"".join(lines)


def commands(story):
    """The verbs that our side said, as the story of a message tells them."""
    return [line.split()[1] for line in story.splitlines() if line.strip().startswith("C: ")]


@pytest.mark.parametrize("length", [50_000, 2_000_000], ids=["small", "large"])
@pytest.mark.parametrize("by", ["BDAT", "DATA"])
def test_a_real_server_keeps_what_was_sent(site, postfix, by, length):
    """8-bit octets and dots by either way, lines of any length in chunks, where they need not be lines."""
    word = tag()
    sent = odd(word, length, LINE[by])
    with site.through_postfix(port=postfix.port if by == "BDAT" else postfix.data_port):
        trace = site.a.submit("robin", [OUT], sent, sender=ROBIN, mail=["BODY=8BITMIME"])
        ((_, kept),) = until(lambda: postfix.having(word), lambda: postfix.log() + site.journals())
        site.quiet()
    said = until(lambda: commands(site.a.run("trace", trace)), "the history does not tell of it")
    assert (by in said, OTHER[by] in said) == (True, False)
    assert kept.endswith(sent)
