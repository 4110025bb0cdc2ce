"""What `unitymail trace` shows of a conversation."""

from unitymail.mail.reply import Reply
from unitymail.relay.dialogue import LONGEST_LINE, MOST_LINES, Dialogue


def test_lines():
    """Ours, theirs and what went besides, in order."""
    dialogue = Dialogue()
    assert not dialogue
    dialogue.ours([b"MAIL FROM:<r\xc3\xb6bin@example.com>"])
    dialogue.theirs(Reply(250, "2.1.0", "fine"))
    dialogue.theirs(Reply(550, "5.7.1", "one\ntwo"))
    dialogue.theirs(Reply(250, "", ""))
    dialogue.note("<2,048 octets>")
    assert list(dialogue) == list(dialogue[:]) == [
        "C: MAIL FROM:<röbin@example.com>", "S: 250 2.1.0 fine", "S: 550-5.7.1 one", "S: 550 5.7.1 two", "S: 250",
        "C: <2,048 octets>",
    ]
    assert dialogue and len(dialogue) == 6 and dialogue[-1] == "C: <2,048 octets>"


def test_bounded():
    """However much is said, the beginning and the end are kept, and the number of lines between."""
    for each in (Reply(250, "", "x" * 5000), Reply(250, "", "\n".join("x" * 70))):
        dialogue = Dialogue()
        for number in range(1000):
            dialogue.ours([b"RCPT TO:<%d@example.net>" % number])
            dialogue.theirs(each)
        dialogue.ours([b"DATA"])
        lines = dialogue.lines()
        assert len(lines) <= MOST_LINES
        assert max(map(len, lines)) <= LONGEST_LINE + 3
        assert lines[0] == "C: RCPT TO:<0@example.net>" and lines[-1] == "C: DATA"
        assert any("lines left out" in line for line in lines)


def test_counting_what_is_left_out():
    """The number of lines left out is right."""
    dialogue = Dialogue()
    for number in range(500):
        dialogue.ours([b"%d" % number])
    [left_out] = [line for line in dialogue.lines() if "left out" in line]
    assert left_out == f"C: <{500 - (MOST_LINES - 1):,} lines left out>"
    assert len(dialogue.lines()) == MOST_LINES
