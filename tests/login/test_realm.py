"""The last look at who is let in: the password was right, but things may have changed since it was looked at."""

import pytest

from tests.fakes import CHRIS, ROBIN, FakeBook
from tests.login.signing_in import IMAP, SMTP
from unitymail.interfaces.login import SignInRefused
from unitymail.login.realm import ISignedIn, Realm


@pytest.mark.parametrize("place", [IMAP, SMTP])
def test_a_user_who_was_deleted_meanwhile(place):
    """Nobody comes in, by neither door; to the client it is a wrong password, and the journal hears why."""
    assert Realm(FakeBook(ROBIN)).requestAvatar(ROBIN.id, SMTP, ISignedIn)[1].user == ROBIN
    with pytest.raises(SignInRefused, match="deleted meanwhile") as refusal:
        Realm(FakeBook(CHRIS)).requestAvatar(ROBIN.id, place, ISignedIn)
    assert refusal.value.kind == "bad-credentials"
