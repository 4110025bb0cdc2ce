"""What happened to each message, kept for some days, so that `unitymail trace` can tell it. Refuses to know why.

`history` takes events and decides when to write, `pending` holds them until then, `telling` makes them JSON, `file`
writes and forgets, `stories` reads; `words` are what a message is found by, `schema` is the shape of the file.
"""
