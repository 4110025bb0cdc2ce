"""A Maildir on a laptop, as a mail reader there changes it; what keeps it in step with the node is no concern of it."""

import re

from tests.stories.copies import LETTERS, WORD, in_maildir


class LocalMail:
    """INBOX and other folders beside it. `written`: directories of folders whose names are not those of the folders.

    `keywords`: what letters in the names of files say, beside those that all know.
    """

    def __init__(self, path, *, written=None, keywords=None):
        self.path = path
        self._written = written or {}
        self._keywords = keywords or {}
        path.mkdir()

    def _at(self, folder):
        return self.path / self._written.get(folder, folder)

    def folders(self):
        read = {directory: folder for folder, directory in self._written.items()}
        names = (str(cur.parent.relative_to(self.path)) for cur in self.path.glob("**/cur"))
        return {read.get(name, name) for name in names}

    def copies(self):
        return [copy for folder in self.folders() for copy in self.copies_in(folder)]

    def copies_in(self, folder):
        return in_maildir(self._at(folder), folder, self._keywords)

    def words_in(self, folder):
        return {copy.word for copy in self.copies_in(folder)}

    def make(self, folder):
        for part in ("cur", "new", "tmp"):
            (self._at(folder) / part).mkdir(parents=True)

    def files(self, words):
        """The files of these messages in INBOX."""
        paths = [path for part in ("cur", "new") for path in (self._at("INBOX") / part).iterdir()]
        found = {WORD.search(path.read_bytes())[1].decode(): path for path in paths}
        return [found[word] for word in words]

    def flag(self, words, letter):
        """The letter goes to the name, the file to `cur`."""
        for path in self.files(words):
            name, _, letters = path.name.partition(":2,")
            path.rename(self._at("INBOX") / "cur" / f"{name}:2,{''.join(sorted({*letters, letter}))}")

    def write(self, word, octets, folder, letters):
        (self._at(folder) / "cur" / f"{word}.laptop:2,{letters}").write_bytes(octets.replace(b"\r\n", b"\n"))

    def file(self, words, folder):
        """From INBOX to another folder; what the name told of its UID goes."""
        for path in self.files(words):
            path.rename(self._at(folder) / "cur" / re.sub(r",U=\d+", "", path.name))


def write_letter(day, mail, folder, letters=""):
    """A message that is written on the laptop, where `letters` say its flags."""
    word, octets = day.letter()
    mail.write(word, octets, folder, letters)
    day.put(word, octets, folder, *(LETTERS[letter] for letter in letters))
