"""The parameters of MAIL and RCPT, extension by extension: what is taken, and what each mistake is told."""

from tests.smtp.stage import enveloped, limited, robin, stranger, trusted, under_tls

_MAIL = "MAIL FROM:<robin@vm1.example.com>"


def _takes(*parameters, stage=trusted):
    """Each of these is accepted."""
    said = "\n".join(f"C: {_MAIL} {parameter}\nC: RSET" for parameter in parameters)
    heard = "\n".join(["S: 250 2.1.0 Sender accepted", "S: 250 2.0.0 Forgotten"] * len(parameters))
    return stage, f"{said}\n{heard}"


def _refuses(reply, *parameters, stage=trusted):
    """Each of these is refused so."""
    return stage, *(f"C: {_MAIL} {parameter}\nS: {reply}" for parameter in parameters)


def _of_recipients(reply, *parameters):
    lines = "\n".join(f"C: RCPT TO:<chris@vm1.example.com> {parameter}\nS: {reply}" for parameter in parameters)
    return enveloped(), lines


_BAD_VALUE = "501 5.5.4 That value of a parameter is not possible"
_BAD_DSN = "501 5.5.4 That value of a DSN parameter is not possible"
_BAD_BY = "501 5.5.4 Say BY=SECONDS;N or BY=SECONDS;R, where R needs seconds above 0"
_BAD_HOLD = "501 5.5.4 Say HOLDFOR=SECONDS, or HOLDUNTIL=2027-01-31T09:00:00Z"
_BAD_PRIORITY = "501 5.5.4 Say MT-PRIORITY=N, where N is -9 (not urgent at all) to 9"

TRANSCRIPTS = {
    "all at once": _takes(
        "SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb BY=60;R MT-PRIORITY=4 AUTH=<>",
        "size=100 body=8bitmime smtputf8 ret=full envid=x by=-5;nt mt-priority=-9 auth=robin", stage=robin,
    ),
    "unknown ones are not swallowed": _refuses("555 5.5.4 Parameter not recognised", "XFOO", "XFOO=1", "SIZE=1 XFOO"),
    "broken ones, and the same twice": _refuses(
        "501 5.5.4 Parameters must be KEYWORD or KEYWORD=VALUE, each once",
        "=1", "SIZE=", "-X=1", "SIZE=1 SIZE=1", "SIZE=1 size=2", "A=b=c",
    ),
    "SIZE within the limit": _takes("SIZE=0", "SIZE=1024", stage=limited(smtp_max_message_kib=1)),
    "SIZE over it": _refuses(
        "552 5.3.4 The message is larger than 1 KiB, the limit here", "SIZE=1025", "SIZE=99999999999999999999",
        stage=limited(smtp_max_message_kib=1),
    ),
    "SIZE without a limit": _takes("SIZE=99999999999999999999", stage=limited(smtp_max_message_kib=0)),
    "impossible SIZE": _refuses(_BAD_VALUE, "SIZE", "SIZE=-1", "SIZE=x", "SIZE=" + "1" * 21),
    "BODY": _takes("BODY=7BIT", "BODY=8BITMIME", "BODY=BINARYMIME"),
    "impossible BODY": _refuses(_BAD_VALUE, "BODY", "BODY=9BIT"),
    "impossible SMTPUTF8": _refuses(_BAD_VALUE, "SMTPUTF8=1"),
    "AUTH= without a value": _refuses(_BAD_VALUE, "AUTH"),
    "impossible RET and ENVID": _refuses(
        _BAD_DSN, "RET", "RET=SOME", "ENVID", "ENVID=a+b", "ENVID=+0D+0A", "ENVID=" + "x" * 101
    ),
    "NOTIFY and ORCPT": _of_recipients(
        "250 2.1.5 Recipient accepted", "NOTIFY=NEVER", "NOTIFY=SUCCESS,FAILURE,DELAY", "notify=success",
        "ORCPT=rfc822;" + "x" * 493,
        "ORCPT=rfc822;chris+2Bx@example.com", "ORCPT=utf-8;chri\\x{DF}@example.com NOTIFY=DELAY",
    ),
    "impossible NOTIFY and ORCPT": _of_recipients(
        _BAD_DSN, "NOTIFY", "NOTIFY=NEVER,DELAY", "NOTIFY=DELAY,DELAY", "NOTIFY=SOMETIMES", "ORCPT", "ORCPT=chris",
        "ORCPT=rfc822;a+0Ab", "ORCPT=rfc822;" + "x" * 494,
    ),
    "unknown ones of RCPT": _of_recipients("555 5.5.4 Parameter not recognised", "SIZE=1", "XFOO", "REQUIRETLS"),
    "BY": _takes("BY=120;N", "BY=0;N", "BY=-10;N", "BY=10;R", "BY=999999999;RT", stage=robin),
    "impossible BY": _refuses(_BAD_BY, "BY", "BY=60", "BY=60;X", "BY=0;R", "BY=-5;R", "BY=1234567890;N", stage=robin),
    "BY sooner than anybody can promise": _refuses(
        "555 5.5.4 With BY=...;R a message has 10 seconds at least", "BY=9;R", stage=robin
    ),
    "MT-PRIORITY": _takes("MT-PRIORITY=9", "MT-PRIORITY=0", "MT-PRIORITY=-9"),
    "impossible MT-PRIORITY": _refuses(_BAD_PRIORITY, "MT-PRIORITY", "MT-PRIORITY=10", "MT-PRIORITY=high"),
    "a stranger's MT-PRIORITY is lowered": (stranger, f"""
        C: {_MAIL} MT-PRIORITY=9
        C: RCPT TO:<chris@vm1.example.com>
        C: DATA
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
        S: 354 Send the message, then a line with only a dot
        C: From: robin@vm1.example.com
        C:
        C: .
        S: 250 2.3.6 0 is the priority of the message here, for you did not sign in; accepted; trace ...
    """),
    "REQUIRETLS under TLS": _takes("REQUIRETLS", stage=under_tls),
    "REQUIRETLS with a value": _refuses(_BAD_VALUE, "REQUIRETLS=1", stage=under_tls),
    "REQUIRETLS without TLS": _refuses(
        "530 5.7.0 REQUIRETLS needs TLS here too; issue a STARTTLS command first", "REQUIRETLS"
    ),
    "HOLDFOR and HOLDUNTIL of one who submits": _takes(
        "HOLDFOR=3600", "HOLDFOR=2592000", "HOLDUNTIL=2027-01-31T09:00:00Z", "HOLDUNTIL=2027-01-31T09:00:00+01:00",
        "HOLDFOR=60 BY=120;R", stage=robin,
    ),
    "of nobody else, nor BY": _refuses(
        "555 5.5.4 Parameter not recognised", "HOLDFOR=60", "HOLDUNTIL=2027-01-31T09:00:00Z", "BY=60;N"
    ),
    "impossible HOLDFOR and HOLDUNTIL": _refuses(
        _BAD_HOLD, "HOLDFOR", "HOLDFOR=0", "HOLDFOR=x", "HOLDUNTIL", "HOLDUNTIL=tomorrow",
        "HOLDUNTIL=2027-02-31T09:00:00Z", stage=robin,
    ),
    "both": _refuses("501 5.5.4 Say either HOLDFOR or HOLDUNTIL, not both",
                     "HOLDFOR=60 HOLDUNTIL=2027-01-31T09:00:00Z", stage=robin),
    "held for too long": _refuses("501 5.5.4 A message is held for 30 days at most",
                                  "HOLDFOR=2592001", "HOLDUNTIL=2028-01-01T00:00:00Z", stage=robin),
    "held until yesterday": _refuses("501 5.5.4 HOLDUNTIL names a moment that is past",
                                     "HOLDUNTIL=2020-01-01T00:00:00Z", stage=robin),
    "due before it may leave": _refuses("501 5.5.4 The message would have to be delivered before it may be released",
                                        "HOLDFOR=3600 BY=60;R", stage=robin),
}
