"""The grammar of IMAP: bytes in, values out. Nothing here knows a socket, a clock or a file."""
