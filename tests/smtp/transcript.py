"""Plays a transcript: what a client says, and each line that it must hear, as a person would write it down.

Steps of text have one line each for `C: ` (said, with CRLF), `R: ` (raw octets with Python's escapes, nothing added),
`S: ` (heard, word for word; `...` at its end stands for anything) and `(the connection ends)`. What is said without an
`S: ` between goes in one segment. Other steps are functions of the Conversation: what happens besides.
"""

import re
import textwrap
from ast import literal_eval

_first = re.compile(r"(\d{3})([ -])(.*)").fullmatch
_status = re.compile(r"([245])\.\d{1,3}\.\d{1,3} ").match
_BANNER, _HELLO = "220 vm1.example.com ESMTP", ("250-vm1.example.com", "250 vm1.example.com")


def play(stage, *steps):
    """The whole of what was heard. Fails at the first line that is not as written."""
    c = stage()
    scene = _Scene(c)
    for step in steps:
        if callable(step):
            scene.speak()
            step(c)
            scene.listen()
            continue
        for line in textwrap.dedent(step).strip().split("\n"):
            scene.line(line)
    scene.end()
    check_codes(scene.all)
    return scene.all


class _Scene:
    def __init__(self, conversation):
        self.c = conversation
        self.segment = b""
        self.heard = []
        self.all = ""
        self.listen()

    def listen(self, text=None):
        text = self.c.heard() if text is None else text
        assert text == "" or text.endswith("\r\n")
        self.all += text
        self.heard += text.split("\r\n")[:-1]

    def speak(self):
        if self.segment:
            assert self.heard == [], f"nobody wrote down {self.heard}"
            segment, self.segment = self.segment, b""
            self.listen(self.c.send(segment))

    def line(self, line):
        kind, said = line[:3], line[3:]
        if kind in ("C: ", "C:"):
            self.segment += said.encode() + b"\r\n"
        elif kind == "R: ":
            self.segment += literal_eval(f'b"{said}"')
        elif line == "(the connection ends)":
            self.speak()
            assert self.heard == [] and self.c.wire.disconnecting
        else:
            assert kind == "S: ", f"what is {line!r}?"
            self.speak()
            assert self.heard, f"{said!r} was not said"
            found = self.heard.pop(0).rstrip(" ")
            wanted = said.removesuffix("...")
            assert found == said or (wanted != said and found.startswith(wanted)), f"{found!r} is not {said!r}"

    def end(self):
        self.speak()
        assert self.heard == [], f"nobody wrote down {self.heard}"


def check_codes(text):
    """RFC 2034: each 2xx, 4xx and 5xx has an enhanced code that agrees, but the banner and what HELO and EHLO hear."""
    hello = False
    for line in text.split("\r\n")[:-1]:
        code, more, words = _first(line).groups()
        hello = hello or line in _HELLO
        if not hello and code[0] != "3" and not line.startswith(_BANNER):
            status = _status(words)
            assert status and status[1] == code[0], f"no enhanced code in {line!r}"
        hello = hello and more == "-"
