"""How private, secure and urgent a message says it is: no spelling of the header raises, none hides a secure one."""

from __future__ import annotations

from fuzz.octets import vectors
from unitymail.mail.message import Sensitivity
from unitymail.mail.sensitivity import (
    asks_for_security,
    importance_of,
    parse_secure_headers,
    plain_word,
    sensitivity_of,
)
from unitymail.routing.categorise import read

WORDS = [
    b"Sensitivity: ", b"Private", b"personal", b"Company-Confidential", b"X-Unity-Secure: true", b"yes", b"(comment)",
    b"1",
    b"Importance: High", b"X-Priority: 1 (Highest)", b"Priority: urgent", b"\r\n ", b"=?utf-8?q?private?=", b";",
    b":", b"\0",
    b"\xff", b"Message-Context: voice-message", b"message/rfc822", b"Content-Type: ", b"\r\n",
]
SEEDS = [
    b"Sensitivity: Private\r\nX-Unity-Secure: true\r\n\r\n",
    b"Sensitivity: (a) =?utf-8?q?private?=\r\nX-Priority: 1 (Highest)\r\n\r\n",
    *vectors(),
]
SECURE = (("x-unity-secure", "true"),)


def one(data: bytes) -> None:
    first = data.partition(b"\n")[0]
    word = plain_word(first)
    assert word == word.strip().lower()
    for name in (b"sensitivity", b"importance", b"x-priority", b"priority", b"x-msmail-priority"):
        sensitivity_of({name: [first]})
        importance_of({name: [first]})
    for name, value in parse_secure_headers(first.decode("utf-8", "replace")):
        assert name and name == name.lower() and value == value.lower() and ";" not in value
        asks_for_security({name.encode(): [first]}, ((name, value),))
    message = read(data, SECURE, secure_confidential=True, host="vm1.example.com")
    assert message.size == len(data)
    assert message.secure or message.sensitivity is not Sensitivity.CONFIDENTIAL
    for text in (message.subject, message.message_id, message.date, message.display_from):
        assert not set(text) & set("\r\n\0")
    if data[:1] in (b" ", b"\t"):
        return
    behind = read(b"X-Unity-Secure: true\r\n" + data, SECURE)
    assert behind.secure, "what follows a field cannot take it back"
