"""How often a sign-in at SMTP may fail: what counts, and what does not."""

import pytest

from tests.smtp.stage import PLAIN, person, sign_ins

WRONG = "AUTH PLAIN AHJvYmluAHdyb25n"


def test_being_busy_is_no_failure():
    """Whoever is told to come back may do so as often as it takes."""
    c = person()
    sign_ins("busy")(c)
    for _ in range(5):
        assert c.say(PLAIN).startswith("454 4.7.0 ")
    assert c.say("NOOP").startswith("250 ")


@pytest.mark.parametrize("response", ["cm9iaW4=", "AHJvYmlu"])
def test_a_response_that_does_not_fit_is_no_failure(response):
    """A program that speaks badly guesses at nothing; a wrong password afterwards is still the first."""
    c = person()
    for _ in range(5):
        assert c.say(f"AUTH PLAIN {response}").startswith("501 5.5.2 ")
    for _ in range(2):
        assert c.say(WRONG).startswith("535 5.7.8 ")
    assert c.say("NOOP").startswith("250 ")
    assert "421 4.7.0 " in c.say(WRONG)
