"""Hypothesis strategies for mail that is nearly mail: what parsers must survive."""

from hypothesis import strategies as st

PIECES = [
    b"From: ", b"To: ", b"Cc: ", b"Subject: ", b"Date: ", b"Sender: ", b"Reply-To: ", b"Content-Type: ",
    b"Content-Disposition: ", b"Content-Transfer-Encoding: ", b"Content-Language: ", b"Content-ID: ",
    b"Content-Location: ", b"Content-MD5: ", b"Content-Description: ", b"Message-Context: ", b"Sensitivity: ",
    b"multipart/mixed; boundary=b", b"multipart/digest; boundary=c", b"multipart/report; boundary=b",
    b"multipart/voice-message; boundary=b", b"multipart/signed; boundary=d",
    b"message/rfc822", b"message/global", b"message/delivery-status", b"text/html; charset=utf-8", b"audio/wav",
    b"base64", b"quoted-printable", b"binary", b"attachment; filename=\"", b"filename*0*=utf-8''a%20", b"; name=x.wav",
    b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\n\n", b"\r\n ", b"\r\n\t", b"\r\n--b\r\n", b"\r\n--b--\r\n",
    b"--b\r\n", b"\r\n--c\r\n", b"\r\n--c--", b"\n--d\n", b"\r\n--bb\r\n", b"(", b")", b"<", b">", b"@", b",", b";",
    b":", b'"', b"\\", b"[", b"]", b"=?", b"=?utf-8?q?=C3=A9?=", b"=?utf-8?b?w6k=?=", b"?=", b"\0", b"\xff",
    b"\xc3\xa9", b" ", b"\t", b"a", b"robin@example.com", b"Robin Smith", b"=", b"*", b"'", b"%20", b"RIFF",
    b"10 Mar 2014 09:15:22 -0400",
    b"private", b"voice-message", b"image/tiff", b"cid:", b"{3}", b"NIL",
]
garbage = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=5)), max_size=60).map(b"".join)
