"""Reading messages into the full-text index: what is missing comes, what is gone goes, too long texts are half held."""

import threading

from tests.store.house import message
from unitymail.mail.text import fold
from unitymail.store.fulltext import filling
from unitymail.store.fulltext.filling import fill, text_of


def filled(house):
    account = house.account
    account.full_text.asked = True
    while fill(account):
        pass
    return account.full_text


def held(house):
    return len(house.account.full_text._catalogue.held().contents)


def test_what_is_missing(house):
    """Every message of every folder is read, once, those that come later too."""
    house.deliver(3)
    house.append(house.account.folder("Sent"))
    house.inbox.refresh()
    filled(house)
    assert held(house) == 4
    house.append(house.inbox)
    filled(house)
    assert held(house) == 5


def test_what_came_since(house, monkeypatch):
    """In a mailbox that is held already only new messages are looked at; all of them again after a while."""
    looked = []
    contents = filling._contents
    monkeypatch.setattr(filling, "_contents", lambda *args: looked.append(contents(*args)) or looked[-1])
    house.deliver(5)
    house.inbox.refresh()
    filled(house)
    house.append(house.inbox)
    filled(house)
    house.now.ahead += filling.CLEAR_EVERY_S
    filled(house)
    assert [len(there) for there in looked] == [5, 1, 6] and held(house) == 6


def test_a_mailbox_whose_words_were_damaged(house):
    """Everything is read anew, not only what comes."""
    house.deliver(5)
    house.inbox.refresh()
    filled(house).close()
    with open(house.path("unitymail.fulltext"), "r+b") as file:
        file.write(b"x" * 8000)
    house.append(house.inbox)
    filled(house)
    assert held(house) == 6


def test_copies_share(house):
    """A copy has the words of its original: they are held once."""
    uid = house.append(house.inbox)
    house.inbox.copy([uid], house.account.folder("Archive"))
    filled(house)
    assert held(house) == 1


def test_what_is_gone(house):
    """An expunged message is found no more once the index has been cleared."""
    uid = house.append(house.inbox, ["\\Deleted"])
    filled(house)
    house.inbox.expunge([uid])
    house.now.ahead += filling.CLEAR_EVERY_S
    filled(house)
    assert held(house) == 0


def test_little_by_little(house):
    """Without patience a batch is read and then others have their turn."""
    house.deliver(filling.BATCH + 1)
    house.inbox.refresh()
    house.account.full_text.asked = True
    assert fill(house.account, 0.0)
    assert held(house) == filling.BATCH
    fill(house.account, 0.0)
    assert held(house) == filling.BATCH + 1


def test_long_messages_are_put_in_one_by_one(house, monkeypatch):
    """Who searches while long messages are put in waits for one of them at most."""
    long = message(body=b"word " * (filling.PORTION // 5) + b"\r\n")
    for octets in (long, message(2), message(3), long.replace(b"word", b"work")):
        house.deliver(octets=octets)
    house.inbox.refresh()
    add, put_in = house.account.full_text.add, []
    monkeypatch.setattr(house.account.full_text, "add", lambda texts: (put_in.append(len(texts)), add(texts)))
    filled(house)
    assert put_in[:2] == [1, 3] and held(house) == 4


def test_sessions_need_not_wait(house, monkeypatch):
    """While a message is taken apart, however long that takes, others use the account."""
    house.deliver(1)
    house.inbox.refresh()
    access, free = house.account.access, []

    def slowly(content, buffer):
        def others():
            with access.free(0.0) as got:
                free.append(got)

        other = threading.Thread(target=others)
        other.start()
        other.join()
        return text_of(content, buffer)

    monkeypatch.setattr(filling, "text_of", slowly)
    filled(house)
    assert free == [True] and held(house) == 1


def test_nothing_to_do(house):
    """When nothing has come since, nothing is looked at."""
    house.deliver(1)
    house.inbox.refresh()
    account = house.account
    filled(house)
    account.full_text.missing = None
    assert fill(account) is False


def test_long_texts_are_held_in_part():
    """A part that is too long is left out, and the index says that it does not hold the whole."""
    long = text_of(1, message(body=b"word " * (filling.LONGEST_PART // 5 + 1)))
    assert not long.whole and "WORD" not in long.body and "NUMBER" in long.head
    many = b"".join(
        b"--x\r\nContent-Type: text/plain\r\n\r\n" + b"y" * (filling.LONGEST_PART - 100) + b"\r\n" for _ in range(4)
    )
    held = text_of(1, b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + many + b"--x--\r\n")
    assert not held.whole and len(held.head) + len(held.body) < filling.MOST_TEXT + 100


def test_what_is_held():
    """Headers of all parts are the head; text parts and enclosed headers are the body; a picture is neither."""
    held = text_of(
        7,
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n"
        b"--x\r\nContent-Type: image/png; name=secret\r\n\r\npixels\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\nwithin\r\n--x--\r\n",
    )
    assert held.whole and held.content == 7
    assert all(word in held.head for word in (fold("Grüße"), "SECRET", "SUBJECT: INSIDE"))
    assert all(word in held.body for word in (fold("Grüße"), "SUBJECT: INSIDE", "WITHIN"))
    assert "PIXELS" not in held.head + held.body
