"""A day of aioimaplib: one program with many connections, that sends commands before the last has its answer."""

import asyncio
import contextlib
import re

from tests.stories.copies import copy_of
from tests.stories.house import PATIENCE_S, needs_module, no_check

SIZE = "Gr&APYA3w-e"
AS_READ = {SIZE: "Größe", f"Projects/{SIZE}": "Projects/Größe"}
WATCHERS = 8


def fine(response):
    assert response.result == "OK", response
    return response.lines


def quoted(name):
    return f'"{name}"'


@contextlib.asynccontextmanager
async def connected(day, *, tls=True):
    aioimaplib = needs_module("aioimaplib")
    if tls:
        port, how = day.house.ports["imaps"], {"ssl_context": no_check()}
        client = aioimaplib.IMAP4_SSL("localhost", port, timeout=PATIENCE_S, **how)
    else:
        client = aioimaplib.IMAP4("localhost", day.house.ports["imap"], timeout=PATIENCE_S)
    try:
        await client.wait_hello_from_server()
        fine(await client.login(day.alias, day.password))
        yield client
        fine(await client.logout())
    finally:
        client.protocol.transport.close()


async def uids_of(client, *criteria):
    return [int(uid) for uid in fine(await client.uid_search(*criteria))[0].split()]


async def uids(client, words):
    return ",".join([str(uid) for word in words for uid in await uids_of(client, "SUBJECT", word)])


async def copies(client, folder):
    """All of a folder, each message by a command of its own. (Of a kind aioimaplib can send but one at a time.)"""
    fine(await client.select(quoted(folder)))
    found = []
    for uid in await uids_of(client, "ALL"):
        lines = fine(await client.uid("FETCH", str(uid), "(FLAGS BODY.PEEK[])"))
        head = next(line for line in lines if b"BODY[]" in line)
        flags = re.search(rb"FLAGS \((.*?)\)", head)[1].decode().split()
        found.append(copy_of(AS_READ.get(folder, folder), flags, bytes(lines[lines.index(head) + 1])))
    return found


async def watch(day, seen):
    """INBOX in IDLE: until mail has come, and until a flag and an expunged message are told."""
    async with connected(day, tls=False) as client:
        fine(await client.select("INBOX"))
        idle = await client.idle_start(PATIENCE_S)
        seen.release()
        told = b""
        while not re.search(rb"EXISTS.*\$Urgent.*EXPUNGE", told, re.DOTALL):
            told += b"\n".join(await client.wait_server_push(PATIENCE_S)) + b"\n"
        client.idle_done()
        fine(await asyncio.wait_for(idle, PATIENCE_S))


async def live(day):
    loop = asyncio.get_running_loop()
    first = await loop.run_in_executor(None, day.more, 20)
    seen = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(watch(day, seen)) for _ in range(WATCHERS)]
    async with connected(day) as client:
        for _ in watchers:
            await asyncio.wait_for(seen.acquire(), PATIENCE_S)
        await loop.run_in_executor(None, day.more, 1)
        fine(await client.id(name="story"))
        fine(await client.namespace())
        for name in (SIZE, "Projects", "Short"):
            fine(await client.create(quoted(name)))
        fine(await client.select("INBOX"))
        urgent, gone, moved, copied = [await uids(client, first[start : start + 4]) for start in (0, 4, 8, 12)]
        answers = await asyncio.gather(
            client.uid("STORE", urgent, "+FLAGS", "($Urgent \\Flagged)"), client.uid("COPY", copied, "Archive"),
            client.uid_search("KEYWORD", "$Urgent"), client.status("INBOX", "(MESSAGES UIDNEXT HIGHESTMODSEQ SIZE)"),
            client.noop(), client.list('""', "*"), client.getquotaroot("INBOX"),
        )  # fmt: skip
        assert [answer.result for answer in answers] == ["OK"] * 7
        day.flagged(first[:4], "$Urgent", "\\Flagged")
        day.copied(first[12:16], "Archive")
        fine(await client.uid("STORE", gone, "+FLAGS.SILENT", "(\\Deleted)"))
        fine(await client.uid("EXPUNGE", gone))
        day.gone(first[4:8])
        await asyncio.gather(*watchers)

        fine(await client.uid("MOVE", moved, quoted(SIZE)))
        day.moved(first[8:12], "Größe")
        for folder in (SIZE, "Short"):
            word, octets = day.letter()
            fine(await client.append(octets, quoted(folder), "\\Seen \\Draft"))
            day.put(word, octets, AS_READ.get(folder, folder), "\\Seen", "\\Draft")
        fine(await client.rename(quoted(SIZE), quoted(f"Projects/{SIZE}")))
        day.renamed("Größe", "Projects/Größe")
        fine(await client.delete("Short"))
        day.gone(day.words_in("Short"), folder="Short")
        await loop.run_in_executor(None, day.more, 10)
        await loop.run_in_executor(None, day.evening)
        return [copy for name in ("INBOX", "Archive", f"Projects/{SIZE}") for copy in await copies(client, name)]


def test_a_day(day):
    """Eight connections are told in IDLE of what the ninth does, which asks seven things at a time."""
    needs_module("aioimaplib")
    near = asyncio.run(live(day))
    assert "Projects/Größe" in day.compare(near)
