"""Who a client is by now, and what makes it nobody again."""

from tests.fakes import ROBIN
from tests.smtp.conversation import Conversation
from tests.smtp.peers import KEY, NODE_B, meeting, proven
from tests.smtp.stage import OPEN


def who(c):
    return c.session._dialogue.who


def test_an_address_alone():
    """What the access list says, until something better is proven."""
    known, stranger = who(Conversation().greeted()), who(Conversation(site=OPEN, access=()).greeted())
    assert (known.trust, known.origin.trust) == ("trusted", "trusted")
    assert (stranger.trust, stranger.origin.trust) == ("stranger", "stranger")


def test_tls_forgets_who_it_was():
    """RFC 3207 4.2: a name said, and a sign-in made, before TLS are void; the address stays."""
    c = Conversation(tls=object()).greeted()
    who(c).signed_in(ROBIN)
    assert (who(c).origin.user, who(c).origin.helo) == (ROBIN.id, "client.example")
    c.say("STARTTLS")
    origin = who(c).origin
    assert (origin.user, origin.helo, origin.client, origin.trust) == ("", "", "192.0.2.7", "trusted")
    assert origin.tls


def test_a_peer():
    """Its key makes it one, whatever its address is; it is one as long as the site says so."""
    c = proven()
    assert (who(c).trust, who(c).origin.peer, who(c).unproven) == ("peer", NODE_B.id, False)
    assert who(c).still_a_peer()
    c.book.peer_with = lambda key: None
    assert not who(c).still_a_peer()


def test_a_key_of_nobody():
    """It proves nothing, and the journal says so where a peer was expected."""
    c = meeting(key="cd" * 32, access=())
    for line in ("EHLO b.example", "STARTTLS", "EHLO b.example"):
        c.say(line)
    assert who(c).unproven and who(c).origin.peer == "" and KEY != "cd" * 32
    assert c.journal.named("sign_in_failed")[0].args[:2] == ("peer", "cd" * 32)


def test_a_password_that_changed():
    """Who came in with the old one is signed in no more; who came in afterwards is."""
    c = Conversation(door="submission", tls=object()).greeted()
    who(c).signs_in()
    who(c).signed_in(ROBIN)
    assert who(c).still_signed_in()
    c.book.password_changed = lambda user: c.book.usn + 1
    assert not who(c).still_signed_in()
