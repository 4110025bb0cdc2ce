"""AUTH: each mechanism, each way it fails, and where it may not be used (RFC 4954)."""

from tests.smtp.stage import PLAIN, TLS, password_changed, peer, person, robin, sign_ins, surprise, trusted

_WRONG = "AUTH PLAIN AHJvYmluAHdyb25n"


def _broken(c):
    c.login.answer = ZeroDivisionError("boom")


TRANSCRIPTS = {
    "PLAIN at once, and not twice": (person, f"""
        C: {PLAIN}
        S: 235 2.7.0 Welcome
        C: {PLAIN}
        S: 503 5.5.1 You are signed in already
    """),
    "PLAIN when asked": (person, """
        C: auth plain
        S: 334
        C: AHJvYmluAHNlY3JldA==
        S: 235 2.7.0 Welcome
    """),
    "LOGIN with Outlook's prompts": (person, """
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: cm9iaW4=
        S: 334 UGFzc3dvcmQ6
        C: c2VjcmV0
        S: 235 2.7.0 Welcome
    """),
    "LOGIN with the name at once": (person, """
        C: AUTH LOGIN cm9iaW4=
        S: 334 UGFzc3dvcmQ6
        C: c2VjcmV0
        S: 235 2.7.0 Welcome
    """),
    "SCRAM begins, and is broken off": (person, """
        C: AUTH SCRAM-SHA-256
        S: 334
        C: *
        S: 501 5.7.0 Cancelled
    """),
    "a client that changes its mind": (person, """
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: *
        S: 501 5.7.0 Cancelled
        C: NOOP
        S: 250 2.0.0 Done nothing
    """),
    "responses that are none": (person, """
        C: AUTH PLAIN
        S: 334
        C: not base64!
        S: 501 5.5.2 That is not base64
        C: AUTH PLAIN cm9iaW4=
        S: 501 5.5.2 The response does not fit the mechanism
        C: AUTH PLAIN =
        S: 501 5.5.2 The response does not fit the mechanism
        C: AUTH
        S: 501 5.5.4 This command needs an argument
        C: AUTH CRAM-MD5
        S: 504 5.5.4 That mechanism is not offered
    """),
    "a response beyond 12,288 octets": (person, "C: AUTH PLAIN\nS: 334", "C: " + "A" * 12_289, """
        S: 500 5.5.6 The line is too long
        C: NOOP
        S: 250 2.0.0 Done nothing
    """),
    "a wrong password, three times": (person, f"""
        C: {_WRONG}
        S: 535 5.7.8 Name or password is wrong
        C: {_WRONG}
        S: 535 5.7.8 Name or password is wrong
        C: {_WRONG}
        S: 535 5.7.8 Name or password is wrong
        S: 421 4.7.0 Too many failed sign-ins; goodbye
        (the connection ends)
    """),
    "nobody signs in as somebody else": (person, """
        C: AUTH PLAIN Y2hyaXMAcm9iaW4Ac2VjcmV0
        S: 535 5.7.8 Name or password is wrong
    """),
    "an expired password": (person, sign_ins("expired"), f"""
        C: {PLAIN}
        S: 535 5.7.8 The password has expired; set a new one
    """),
    "an account that may not send": (person, sign_ins("not-allowed"), f"""
        C: {PLAIN}
        S: 535 5.7.8 This account may not send mail here
    """),
    "too many at once": (person, sign_ins("busy"), f"""
        C: {PLAIN}
        S: 454 4.7.0 Too many sign-ins at once; please try again soon
    """),
    "what nobody expected": (person, _broken, f"""
        C: {PLAIN}
        S: 451 4.3.0 Something went wrong here; please try again later
    """),
    "no password before hello, and none in the clear": (lambda: trusted(tls=TLS), f"""
        C: {PLAIN}
        S: 538 5.7.11 Signing in needs encryption; issue a STARTTLS command first
        C: STARTTLS
        S: 220 2.0.0 Start TLS now
        C: {PLAIN}
        S: 503 5.5.1 Say EHLO first
    """),
    "what is pipelined behind a sign-in that fails": (person, surprise("commit_error"), f"""
        C: {_WRONG}
        C: MAIL FROM:<robin@vm1.example.com>
        S: 535 5.7.8 Name or password is wrong
        S: 530 5.7.0 Authentication required
    """),
    "who came in with a password that is changed now": (robin, password_changed, """
        C: MAIL FROM:<robin@vm1.example.com>
        S: 421 4.7.0 Your password was changed; please sign in again
        (the connection ends)
    """),
    "a password that was changed before": (person, password_changed, f"""
        C: {PLAIN}
        S: 235 2.7.0 Welcome
        C: MAIL FROM:<robin@vm1.example.com>
        S: 250 2.1.0 Sender accepted
    """),
    "a peer need not": (peer, f"""
        C: {PLAIN}
        S: 503 5.5.1 You are known as a peer by your certificate; there is no need to sign in
    """),
}
