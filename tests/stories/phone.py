"""Another client of the mailbox: works by plain IMAP, and writes down what it did in the day."""

import base64
import re


def in_utf7(name):
    """A folder's name, quoted, as IMAP4rev1 writes it. (imaplib can append nothing once it has enabled UTF8=ACCEPT.)"""

    def shifted(found):
        return "&" + base64.b64encode(found[0].encode("utf-16-be"), b"+,").decode().rstrip("=") + "-"

    return '"' + re.sub(r"[^\x20-\x7e]+", shifted, name.replace("&", "&-")) + '"'


class Phone:
    """In INBOX for as long as the block lasts; names of folders are as people read them."""

    def __init__(self, day):
        self._day = day
        self._box = day.house.imap(day.alias)
        self._done(self._box.select("INBOX"))

    def __enter__(self):
        return self

    def __exit__(self, *ended):
        self._box.__exit__(*ended)

    def _done(self, answer):
        status, data = answer
        assert status == "OK", data
        return data

    def _uids(self, words):
        found = [self._done(self._box.uid("SEARCH", "SUBJECT", word))[0].decode() for word in words]
        assert all(uids.isdigit() for uids in found), dict(zip(words, found, strict=True))
        return ",".join(found)

    def make(self, folder):
        self._done(self._box.create(in_utf7(folder)))

    def rename(self, old, new):
        self._done(self._box.rename(in_utf7(old), in_utf7(new)))
        self._day.renamed(old, new)

    def delete(self, folder):
        """An empty folder."""
        self._done(self._box.delete(in_utf7(folder)))

    def flag(self, words, *flags):
        self._done(self._box.uid("STORE", self._uids(words), "+FLAGS", f"({' '.join(flags)})"))
        self._day.flagged(words, *flags)

    def file(self, words, folder):
        self._done(self._box.uid("MOVE", self._uids(words), in_utf7(folder)))
        self._day.moved(words, folder)

    def remove(self, words):
        """For good."""
        uids = self._uids(words)
        self._done(self._box.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted)"))
        self._done(self._box.uid("EXPUNGE", uids))
        self._day.gone(words)

    def put(self, *flags):
        """A new message; its word."""
        word, octets = self._day.letter()
        self._done(self._box.append("INBOX", f"({' '.join(flags)})", None, octets))
        self._day.put(word, octets, "INBOX", *flags)
        return word
