"""The replies of the SMTP doors that depend on nothing, in one place. Refuses to know when one is due."""

from __future__ import annotations

from unitymail.mail.reply import Reply

SENDER_OK = Reply(250, "2.1.0", "Sender accepted")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient accepted")
ACCEPTED = Reply(250, "2.0.0", "Accepted")
LOWERED = Reply(250, "2.3.6", "0 is the priority of the message here, for you did not sign in; accepted")
START_MESSAGE = Reply(354, "", "Send the message, then a line with only a dot")
RESET = Reply(250, "2.0.0", "Forgotten")
NOTHING_DONE = Reply(250, "2.0.0", "Done nothing")
BYE = Reply(221, "2.0.0", "Goodbye")
SIGNED_IN = Reply(235, "2.7.0", "Welcome")
START_TLS = Reply(220, "2.0.0", "Start TLS now")
CANNOT_VERIFY = Reply(252, "2.0.0", "Nothing is told about addresses; send a message and see")
NO_EXPANSION = Reply(502, "5.5.1", "Lists are not shown")

UNKNOWN_COMMAND = Reply(500, "5.5.1", "Command not recognised; HELP lists them")
LINE_TOO_LONG = Reply(500, "5.5.2", "The line is too long")
AUTH_LINE_TOO_LONG = Reply(500, "5.5.6", "The line is too long")
SAY_HELLO_FIRST = Reply(503, "5.5.1", "Say EHLO first")
ALREADY_A_SENDER = Reply(503, "5.5.1", "There is a sender already; RSET begins again")
NO_SENDER = Reply(503, "5.5.1", "Say MAIL first")
NO_RECIPIENTS = Reply(554, "5.5.1", "There is no valid recipient")
ALREADY_SIGNED_IN = Reply(503, "5.5.1", "You are signed in already")
NOT_IN_A_TRANSACTION = Reply(503, "5.5.1", "Not while a message is being sent; RSET ends it")
BINARY_BY_CHUNKS = Reply(503, "5.5.1", "A message with BODY=BINARYMIME goes by BDAT only")
CHUNKS_BEGAN = Reply(503, "5.5.1", "BDAT has begun the message; more BDAT completes it, RSET forgets it")
CHUNK_REFUSED = Reply(503, "5.5.1", "A chunk before this one was refused; RSET or MAIL begins again")
TLS_ALREADY = Reply(503, "5.5.1", "TLS is in use already")
NO_TLS = Reply(502, "5.5.1", "TLS is not offered here")
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "An address beyond ASCII needs SMTPUTF8 at MAIL")

BAD_CREDENTIALS = Reply(535, "5.7.8", "Name or password is wrong")
PASSWORD_EXPIRED = Reply(535, "5.7.8", "The password has expired; set a new one")
MAY_NOT_SEND = Reply(535, "5.7.8", "This account may not send mail here")
SIGN_IN_BUSY = Reply(454, "4.7.0", "Too many sign-ins at once; please try again soon")

TALKED_TOO_EARLY = Reply(554, "5.5.1", "You spoke before you were greeted; wait for the banner, then begin")
TOO_MANY_OUTSIDE = Reply(421, "4.3.2", "Too many connections come in at once; please try again in a minute")
TOO_MANY_FAILURES = Reply(421, "4.7.0", "Too many failed sign-ins; goodbye")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many wrong commands; goodbye")
IDLE_TOO_LONG = Reply(421, "4.4.2", "Idle for too long; goodbye")
COUNT_LOST = Reply(421, "4.7.0", "What follows that BDAT cannot be told from commands; goodbye")
NOT_BELIEVED = Reply(421, "4.7.0", "What follows such line ends is not believed; goodbye")
TALKED_TOO_LONG = Reply(421, "4.5.2", "That line has no end; goodbye")
BROKEN = Reply(451, "4.3.0", "Something went wrong here; please try again later")
