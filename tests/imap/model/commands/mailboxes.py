"""A mailbox is made, gets another name while others look at it, and is deleted under them."""

from tests.imap.model.mailbox import Mailbox

NAMES = ("Projects", "Plans", "Receipts")
"""What the one mailbox is called, now this and now that."""


def change(play, talk):
    box = next((play.boxes[name] for name in NAMES if name in play.boxes), None)
    name = play.random.choice(NAMES)
    if box is None:
        play.made += 1
        play.boxes[name] = box = Mailbox(name, f"made{play.made}")
        return play.ask(talk, f"CREATE {name}", [], f"OK [MAILBOXID (<id:{box.key}>)]")
    if play.chance(0.3):
        return _delete(play, talk, box)
    if name == box.name:
        return play.ask(talk, f"RENAME {name} {name}", [], "NO [ALREADYEXISTS]")
    old = box.name
    play.boxes[name] = play.boxes.pop(old)
    box.name = name
    if talk.client.box is box:
        talk.client.called = name
    return play.ask(talk, f"RENAME {old} {name}", [], "OK")


def _delete(play, talk, box):
    """Who has it open itself closes it by that; who idles there is shown out at once, others when they look again."""
    del play.boxes[box.name]
    box.deleted = True
    lines = []
    if talk.client.box is box:
        talk.client.leave()
        lines = ["* OK [CLOSED]"]
    play.ask(talk, f"DELETE {box.name}", lines, "OK")
    for other in play.talks:
        if other.idle_tag is not None and other.client.box is box:
            play.ear.compare(other.heard(), ["* BYE"], f"{other.client} idles in what is deleted")
            play.come(other)
