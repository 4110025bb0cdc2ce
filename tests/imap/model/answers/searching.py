"""SEARCH and SORT (RFC 3501, 6.4.4; RFC 4731, 5182, 5256, 5267, 9394): how what is found is told.

What is found is a list of (sequence number, what is known), in the order in which it is to be told.
"""

from tests.imap.model.numbers import number_set


def found(client, key):
    """Whom a key of ``commands.keys`` fits, in the order of the mailbox: surely, not perhaps."""
    return [(number, known) for number, known in enumerate(client.view, 1) if key.holds(number, known)]


def told(client, verb, key, found, by_uid, returning=None, tag="", page=None):
    """`returning` holds MIN, MAX, COUNT, ALL, SAVE; None is a plain command. page: PARTIAL."""
    lines = client.learn() if key.modseq else []
    numbers = [known.uid if by_uid else number for number, known in found]
    if returning is None and (verb == "SORT" or not client.rev2):
        line = f"* {verb}" + "".join(f" {number}" for number in numbers)
        return [*lines, line + (f" (MODSEQ {_highest_of(client, found)})" if key.modseq and found else "")], "OK"
    returning = set(returning or ()) or ({"ALL"} if page is None else set())
    about = found
    if not returning & {"ALL", "COUNT"} and (returning & {"MIN", "MAX"} or page is not None):
        about = found[:1] * ("MIN" in returning) + found[-1:] * ("MAX" in returning)
        about += [] if page is None else page.of(found)
    if "SAVE" in returning:
        client.saved = {known.uid for _, known in about}
        if returning == {"SAVE"} and page is None:
            return lines, "OK"
    line = f'* ESEARCH (TAG "{tag}")' + (" UID" if by_uid else "")
    if numbers:
        line += f" MIN {numbers[0]}" if "MIN" in returning else ""
        line += f" MAX {numbers[-1]}" if "MAX" in returning else ""
    line += f" COUNT {len(numbers)}" if "COUNT" in returning else ""
    line += f" ALL {number_set(numbers)}" if "ALL" in returning and numbers else ""
    if page is not None:
        line += f" PARTIAL ({page.text} {number_set(page.of(numbers)) or 'NIL'})"
    line += f" MODSEQ {_highest_of(client, about)}" if key.modseq and about else ""
    return [*lines, line], "OK"


def _highest_of(client, found):
    return client.modseq(max(known.tick for _, known in found))
