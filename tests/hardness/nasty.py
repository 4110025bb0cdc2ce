"""Words that would break out of where they are put: a line, a field, a quoted string, a terminal, a name of a file."""

import re

WORDS = (
    "Robin\r\nBcc: evil@evil.example", "Robin\nBcc: evil@evil.example", "Robin\rBcc: evil@evil.example",
    "\r\n\r\n<html>body", "\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n", "\n.\nQUIT\n", "\0", "Robin\0", "\x0bX: y",
    "\x0cX: y", "\x1b[2J\x1b]0;evil\x07", "\x9b2J", "\x7f", "\x85X: y", "\u2028X: y", "\u2029X: y", "\u202eniboR",
    "\u2066a\u2069", "=?utf-8?q?=0D=0ABcc:_evil@evil.example?=", "=?utf-8?b?DQpCY2M6IGV2aWw=?=", "\ud800", "\udcff",
    "\U0010ffff", "\ufeff", '"', "\\", '\\"', '" <evil@evil.example>, "', "<evil@evil.example>", "a, b, c", "(", ")",
    "a;b=c", "; pad=", "%U% %NAME%", "\t", " ", "", "x" * 5_000, "é" * 2_000, "\u0300" * 500,
    "'; DROP TABLE users; --", '=HYPERLINK("http://evil")', "../../x",
)  # fmt: skip

ENDS_A_LINE = re.compile("[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
SPEAKS_TO_A_TERMINAL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
