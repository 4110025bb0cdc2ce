#!/usr/bin/env python3
"""IMAP load.  One JSON line per scenario.

    load_imap.py TARGET.toml mailbox --n 10000 [--only NAME,...] [--populate maildir|append]
    load_imap.py TARGET.toml append  --count 500 --size 10k [--mode sync|pipe|multi|all]
    load_imap.py TARGET.toml body    --size 10m --reps 5
    load_imap.py TARGET.toml login   --conns 20 --count 500 [--tls]
    load_imap.py TARGET.toml idle    --conns 1000 --users 10 --deliver append|smtp|maildir --messages 20
    load_imap.py TARGET.toml zipf    --users 50 --conns 20 --seconds 15 --per-user 200

mailbox scenarios, in order: select_cold first_sync_cold first_sync sync_envelope select_warm flags_sync headers_cold headers
bodies bodies_batch search_from search_subject search_since search_flags search_text search_text2 sort_date sort_subject
sort_from thread_refs thread_subject resync store_all store_back copy_all move_all expunge_half.  "bodies" is
for 1,000 mails fetched one at a time.  "cold" = the server never opened this folder before (no index, no cache); the page cache is warm.
"search_text_first" is the first search of all for words; the next ones begin when the server has become idle after it.
Sub-tick operations are repeated; wall_s and server_cpu_s are per repetition.
"""
import argparse, bisect, collections, itertools, os, random, re, select, shutil, socket, ssl, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from benchlib import *


class Bad(Exception):
    pass


class Imap:
    """Blocking client that reads as fast as it can; parsing is left until after the clock stops."""
    n = 0

    def __init__(self, t, user, tls=False, login=True):
        h = t.imap.get("host", "127.0.0.1")
        self.s = socket.create_connection((h, t.imap["tls_port"] if tls else t.imap["port"]), 60)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.settimeout(100)
        if tls:
            self.s = tls_context().wrap_socket(self.s)
        self.tx = self.rx = 0
        self.greet = self.s.recv(4096)
        self.caps = b""
        if login:
            self.cmd(b'LOGIN "%s" "%s"' % (user["alias"].encode(), user["password"].encode()))
            self.caps = self.cmd(b"CAPABILITY").upper()

    def tag(self):
        Imap.n += 1
        return b"Zq%06x" % Imap.n

    def send(self, *parts):
        for p in parts:
            self.s.sendall(p)
            self.tx += len(p)

    def until(self, tag, keep=True):
        got, tail = [], b"\r\n"
        m = b"\r\n" + tag + b" "
        recv = self.s.recv
        while True:
            d = recv(1048576)
            if not d:
                raise Bad("eof")
            self.rx += len(d)
            if keep:
                got.append(d)
            tail = (tail + d)[-2048:] if len(d) < 2048 else d[-2048:]
            if tail.endswith(b"\r\n") and m in tail:
                break
        st = tail[tail.rindex(m) + len(m):]
        return (b"".join(got) if keep else b""), st

    def cmd(self, c, check=True, keep=True):
        t = self.tag()
        self.send(t + b" " + c + b"\r\n")
        r, st = self.until(t, keep)
        if check and not st.startswith(b"OK"):
            raise Bad(c[:40].decode() + ": " + st[:120].decode("latin1").strip())
        return r

    def plus(self):
        d = b""
        while b"\r\n" not in d:
            x = self.s.recv(65536)
            if not x:
                raise Bad("eof")
            d += x
        if not d.startswith(b"+") and b"\r\n+" not in d:
            raise Bad(d[:100].decode("latin1"))

    def append(self, box, msg, flags=b"(\\Seen)", sync=None):
        t = self.tag()
        lit = b"LITERAL+" in self.caps if sync is None else not sync
        self.send(t + b" APPEND " + box + b" " + flags + b" {%d%s}\r\n" % (len(msg), b"+" if lit else b""))
        if not lit:
            self.plus()
        self.send(msg, b"\r\n")
        r, st = self.until(t)
        if not st.startswith(b"OK"):
            raise Bad("APPEND: " + st[:100].decode("latin1"))

    def close(self):
        try:
            self.cmd(b"LOGOUT", check=False)
        except (OSError, Bad):
            pass
        self.s.close()


EXISTS = re.compile(rb"^\* (\d+) EXISTS", re.M)


class Settled(Meter):
    """A Meter whose wall stops at .stop() and whose CPU is read a little later, for work after the reply."""

    def __init__(self, t, settle=.06):
        super().__init__(t)
        self.settle = settle

    def __exit__(self, *a):
        w = time.perf_counter() - self.t0
        time.sleep(self.settle)
        self.result = self.lap()
        self.result["wall_s"] = w
        return False


def wait_until_idle(t, window=5, most=900):
    """Let the server do what it does behind its answers, such as an index that a search began. Returns seconds."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < most:
        with Meter(t) as m:
            time.sleep(window)
        if m.result.get("server_cpu_s", 0) < window * .03:
            break
    return round(time.perf_counter() - begin, 1)


class Lab:
    def __init__(self, a):
        self.a = a
        self.t = Target(a.target)
        self.user = None
        if self.t.imap:
            self.user = self.somebody()

    def somebody(self):
        """Somebody of whom nothing is left to do behind from what was measured before; zipf takes the first ones."""
        if self.t.bulk and self.t.bulk["count"] > 200:
            return random.SystemRandom().choice(self.t.bulk_users(self.t.bulk["count"])[200:])
        return self.t.users[0] if self.t.users else self.t.bulk_users(1)[0]

    def emit(self, scen, m=None, reps=1, params=None, **kw):
        rec = {"bench": "imap", "target": self.t.name, "scenario": scen, "params": params or {}}
        if m:
            for k, v in m.result.items():
                rec[k] = round(v / reps, 6)
            rec["reps"] = reps
        rec.update(kw)
        emit(rec, self.a.out)
        return rec

    # ------------------------------------------------------------ folder handling
    def make_folder(self, c, name, n):
        """CREATE, fill with n corpus mails; returns bytes stored."""
        c.cmd(b"CREATE " + name.encode(), check=False)
        d = self.t.folder_dir(self.user, name) if self.t.maildir_root and self.a.populate == "maildir" else None
        if d is not None:
            c.cmd(b"NOOP")
            return populate(d, n, seed=self.a.seed)
        total, box = 0, name.encode()
        multi = b"MULTIAPPEND" in c.caps
        i = 0
        while i < n:
            k = min(200, n - i)
            msgs = [make_message(self.a.seed, i + j)[0] for j in range(k)]
            total += sum(map(len, msgs))
            if multi and b"LITERAL+" in c.caps:
                t = c.tag()
                c.send(t + b" APPEND " + box + b"".join(b" (\\Seen) {%d+}\r\n" % len(m) + m for m in msgs) + b"\r\n")
                c.until(t)
            else:
                for m in msgs:
                    c.append(box, m)
            i += k
        return total

    def drop_folder(self, c, name):
        """Away with a folder, but its files stay on the disk, in <maildir_root>/../bench-trash: freeing
        thousands of files (on a disk mounted with discard above all) would disturb what is measured next."""
        d = self.t.folder_dir(self.user, name) if self.t.maildir_root else None
        if d is not None and d.is_dir() and name.upper() != "INBOX":
            trash = self.t.maildir_root.parent / "bench-trash"
            trash.mkdir(exist_ok=True)
            try:
                os.rename(d, trash / f"{name.strip('.')}-{os.getpid()}-{random.SystemRandom().getrandbits(32):x}")
            except OSError:
                shutil.rmtree(d, ignore_errors=True)
        c.cmd(b"DELETE " + name.encode(), check=False)

    # ------------------------------------------------------------ mailbox scenarios
    def mailbox(self):
        a, t = self.a, self.t
        n = a.n
        only = set(a.only.split(",")) if a.only else None
        want = lambda s: only is None or s in only
        P = {"n": n}
        R = a.reps or max(1, min(20, 20000 // n))
        RC = a.cold_reps or (5 if n <= 2000 else 2 if n <= 20000 else 1)
        rid = f"{random.SystemRandom().getrandbits(24):06x}"
        c = Imap(t, self.user)
        boxes = [f"B{n}x{rid}{chr(97 + i)}" for i in range(RC)]
        extra = []
        try:
            stored = sum(self.make_folder(c, b, n) for b in boxes)
            self.emit("populate", params=P, folders=RC, stored_bytes=stored, how=a.populate)
            Q = [b.encode() for b in boxes]
            # --- cold
            with Settled(t) as m:
                for q in Q:
                    r = c.cmd(b"SELECT " + q)
            ex = EXISTS.findall(r)
            if not ex or int(ex[-1]) != n:
                raise Bad(f"SELECT saw {ex} of {n}")
            if want("select_cold"):
                self.emit("select_cold", m, RC, P)
            FS = b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
            if want("first_sync_cold"):
                tot = 0
                with Settled(t) as m:
                    for q in Q:
                        if RC > 1:
                            c.cmd(b"SELECT " + q)
                        r = c.cmd(FS)
                        tot += len(r)
                self.check_fetch("first_sync_cold", m, RC, P, r, n, tot)
            for q in boxes[1:]:
                c.cmd(b"SELECT " + Q[0])
                self.drop_folder(c, q)
            c.cmd(b"SELECT " + Q[0])
            if want("first_sync"):
                self.fetch("first_sync", c, FS, max(1, R // 4), P, n)
            if want("sync_envelope"):
                self.fetch("sync_envelope", c, b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", max(1, R // 4), P, n)
            if want("select_warm"):
                k = R * 2
                with Settled(t) as m:
                    for _ in range(k):
                        c.cmd(b"SELECT " + Q[0])
                self.emit("select_warm", m, k, P)
            if want("select_fresh"):
                cs = []
                k = min(10, R)
                with Settled(t) as m:
                    for _ in range(k):
                        x = Imap(t, self.user)
                        x.cmd(b"SELECT " + Q[0])
                        cs.append(x)
                self.emit("select_fresh", m, k, P)
                for x in cs:
                    x.close()
            if want("flags_sync"):
                self.fetch("flags_sync", c, b"UID FETCH 1:* (UID FLAGS)", R, P, n)
            H = b"UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (%s)])"
            if want("headers_cold"):
                self.fetch("headers_cold", c, H % b"X-MAILER LIST-ID PRECEDENCE", 1, P, n)
            if want("headers"):
                self.fetch("headers", c, H % b"DATE FROM TO CC SUBJECT MESSAGE-ID REFERENCES IN-REPLY-TO CONTENT-TYPE",
                           max(1, R // 4), P, n)
            if want("bodies"):
                k = min(n, 1000)
                tot = done = 0
                end = time.perf_counter() + 10
                with Settled(t) as m:
                    for i in range(n - k + 1, n + 1):
                        tot += len(c.cmd(b"FETCH %d (UID BODY.PEEK[])" % i))
                        done += 1
                        if time.perf_counter() > end:
                            break
                self.emit("bodies", m, done / 1000, P, fetched=done, bytes=tot,
                          MB_per_s=round(tot / m.result["wall_s"] / 1e6, 2))
            if want("bodies_batch"):
                k = min(n, 2000)
                with Settled(t) as m:
                    r = c.cmd(b"FETCH %d:%d (UID BODY.PEEK[])" % (n - k + 1, n))
                self.emit("bodies_batch", m, 1, P, fetched=k, bytes=len(r),
                          MB_per_s=round(len(r) / m.result["wall_s"] / 1e6, 2))
            for s, q in (("search_from", b"FROM garcia"), ("search_subject", b"SUBJECT conference"),
                         ("search_since", b"SINCE 1-Jun-2026"), ("search_flags", b"UNSEEN UNDELETED"),
                         ("search_text", b"TEXT escalation"), ("search_text2", b"TEXT zebra"),):
                if want(s):
                    k = 1 if "text" in s else max(1, R // 4)
                    if s == "search_text":
                        with Settled(t) as m:
                            c.cmd(b"UID SEARCH TEXT serendipity")
                        self.emit("search_text_first", m, 1, P)
                        self.emit("search_text_ready", params=P, behind_s=wait_until_idle(t))
                    try:
                        with Settled(t) as m:
                            for _ in range(k):
                                r = c.cmd(b"UID SEARCH " + q)
                    except Bad as e:
                        emit({"bench": "imap", "target": t.name, "scenario": s, "params": P, "error": str(e)}, a.out)
                        continue
                    ids = re.search(rb"^\* SEARCH([ \d]*)", r, re.M)
                    self.emit(s, m, k, P, hits=len(ids[1].split()) if ids else None)
            for s, q, cap in (("sort_date", b"SORT (REVERSE DATE) UTF-8 ALL", b" SORT"),
                              ("sort_subject", b"SORT (SUBJECT) UTF-8 ALL", b" SORT"),
                              ("sort_from", b"SORT (FROM ARRIVAL) UTF-8 ALL", b" SORT"),
                              ("thread_refs", b"THREAD REFERENCES UTF-8 ALL", b" THREAD=REFERENCES"),
                              ("thread_subject", b"THREAD ORDEREDSUBJECT UTF-8 ALL", b" THREAD=ORDEREDSUBJECT")):
                if want(s + "_cold") or want(s):
                    if cap not in c.caps:
                        self.emit(s, params=P, skip="not offered")
                        continue
                    with Settled(t) as m:
                        r = c.cmd(b"UID " + q)
                    if want(s + "_cold"):
                        self.emit(s + "_cold", m, 1, P, bytes=len(r))
                if want(s):
                    k = max(1, R // 4)
                    with Settled(t) as m:
                        for _ in range(k):
                            r = c.cmd(b"UID " + q)
                    ids = set(re.findall(rb"\d+", r[:r.rindex(b"\r\nZq") if b"\r\nZq" in r else len(r)]))
                    if len(ids) < n:
                        raise Bad(f"{s}: {len(ids)} of {n}")
                    self.emit(s, m, k, P, bytes=len(r))
            if want("resync"):
                self.resync(c, Q[0], P, n, R)
            if want("store_all"):
                with Settled(t) as m:
                    c.cmd(b"STORE 1:* +FLAGS.SILENT (\\Flagged)")
                self.emit("store_all", m, 1, P, per_s=round(n / m.result["wall_s"]))
                r = c.cmd(b"UID SEARCH UNFLAGGED", check=False)
                if re.search(rb"^\* SEARCH \d", r, re.M):
                    raise Bad("STORE left some unflagged")
            if want("store_back"):
                with Settled(t) as m:
                    c.cmd(b"STORE 1:* -FLAGS.SILENT (\\Flagged)")
                self.emit("store_back", m, 1, P, per_s=round(n / m.result["wall_s"]))
            if want("copy_all"):
                d = f"C{n}x{rid}"
                extra.append(d)
                c.cmd(b"CREATE " + d.encode())
                with Settled(t) as m:
                    c.cmd(b"COPY 1:* " + d.encode())
                self.emit("copy_all", m, 1, P, per_s=round(n / m.result["wall_s"]))
                r = c.cmd(b"STATUS " + d.encode() + b" (MESSAGES)")
                if b"MESSAGES %d" % n not in r:
                    raise Bad("COPY: " + r[:80].decode())
            if want("move_all") and b" MOVE" in c.caps:
                d = f"M{n}x{rid}"
                extra.append(d)
                c.cmd(b"CREATE " + d.encode())
                src = f"C{n}x{rid}" if want("copy_all") else boxes[0]
                c.cmd(b"SELECT " + src.encode())
                with Settled(t) as m:
                    c.cmd(b"MOVE 1:* " + d.encode())
                self.emit("move_all", m, 1, P, per_s=round(n / m.result["wall_s"]))
                r = c.cmd(b"STATUS " + d.encode() + b" (MESSAGES)")
                if b"MESSAGES %d" % n not in r:
                    raise Bad("MOVE: " + r[:80].decode())
                if src == boxes[0]:
                    boxes[0] = d
                c.cmd(b"SELECT " + boxes[0].encode())
            if want("expunge_half"):
                c.cmd(b"STORE %s +FLAGS.SILENT (\\Deleted)" % b",".join(b"%d" % i for i in range(1, min(n, 1000), 2)))
                if n > 1000:
                    c.cmd(b"STORE %d:%d +FLAGS.SILENT (\\Deleted)" % (1001, 1000 + n // 2 - 500))
                with Settled(t) as m:
                    r = c.cmd(b"EXPUNGE")
                k = r.count(b" EXPUNGE\r\n")
                self.emit("expunge_half", m, 1, P, expunged=k, per_s=round(k / m.result["wall_s"]))
        finally:
            try:
                c2 = Imap(t, self.user)
                for b in boxes + extra:
                    self.drop_folder(c2, b)
                c2.close()
                c.close()
            except (Bad, OSError) as e:
                print("cleanup:", e, file=sys.stderr)

    def resync(self, c, q, P, n, R):
        """A client comes back: SELECT with QRESYNC, 1 % of the flags changed since."""
        if b" QRESYNC" not in c.caps:
            return self.emit("resync", params=P, skip="not offered")
        x = Imap(self.t, self.user)
        x.cmd(b"ENABLE QRESYNC")
        r = x.cmd(b"SELECT " + q)
        known = re.search(rb"UIDVALIDITY (\d+)", r)[1], re.search(rb"HIGHESTMODSEQ (\d+)", r)[1]
        x.cmd(b"UNSELECT")
        some = b",".join(b"%d" % i for i in range(1, n + 1, 100))
        c.cmd(b"SELECT " + q)
        c.cmd(b"STORE " + some + b" +FLAGS.SILENT (Resynced)")
        k = max(1, R // 2)
        with Settled(self.t) as m:
            for _ in range(k):
                r = x.cmd(b"SELECT " + q + b" (QRESYNC (%b %b))" % known)
        got = len(re.findall(rb"(?m)^\* \d+ FETCH ", r))
        if got != len(some.split(b",")):
            raise Bad(f"resync: {got} FETCH responses of {len(some.split(b','))}")
        self.emit("resync", m, k, P, bytes=len(r), changed=got)
        x.close()

    def check_fetch(self, s, m, k, P, r, n, tot):
        cnt = len(re.findall(rb"(?m)^\* \d+ FETCH ", r))
        if cnt < n:
            raise Bad(f"{s}: {cnt} FETCH responses of {n}")
        self.emit(s, m, k, P, bytes=tot // k, responses=cnt,
                  us_per_msg=round(m.result["wall_s"] / k / n * 1e6, 2),
                  cpu_us_per_msg=round(m.result.get("server_cpu_s", 0) / k / n * 1e6, 2))

    def fetch(self, s, c, q, k, P, n):
        tot = 0
        with Settled(self.t) as m:
            for _ in range(k):
                r = c.cmd(q)
                tot += len(r)
        self.check_fetch(s, m, k, P, r, n, tot)

    # ------------------------------------------------------------ append and download
    def append(self):
        a, t = self.a, self.t
        c = Imap(t, self.user)
        modes = ["sync", "literal", "pipe", "multi"] if a.mode == "all" else [a.mode]
        head = b"From: a@bench.example\r\nTo: b@bench.example\r\nSubject: append\r\nMessage-ID: <%012d@bench>\r\n" \
               b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
        pad = (b"The quick brown fox jumps over the lazy dog; 1234567890 times.\r\n" * (a.size // 60 + 1))[:a.size - 200]
        pad = pad[:-2] + b"\r\n"
        for mode in modes:
            if mode in ("literal", "pipe", "multi") and b"LITERAL+" not in c.caps or \
                    mode == "multi" and b"MULTIAPPEND" not in c.caps:
                self.emit("append_" + mode, skip="not offered")
                continue
            box = f"A{random.SystemRandom().getrandbits(32):08x}".encode()
            c.cmd(b"CREATE " + box)
            msgs = [head % i + pad for i in range(a.count)]
            lat = []
            try:
                with Settled(t) as m:
                    if mode in ("sync", "literal"):
                        for x in msgs:
                            t0 = time.perf_counter()
                            c.append(box, x, sync=mode == "sync")
                            lat.append(time.perf_counter() - t0)
                    elif mode == "pipe":
                        W = 32
                        tags = collections.deque()
                        buf = b""
                        it = iter(msgs)
                        left = len(msgs)
                        while left:
                            while len(tags) < W:
                                x = next(it, None)
                                if x is None:
                                    break
                                g = c.tag()
                                tags.append(g)
                                c.send(g + b" APPEND " + box + b" (\\Seen) {%d+}\r\n" % len(x) + x + b"\r\n")
                            d = c.s.recv(65536)
                            if not d:
                                raise Bad("eof")
                            buf += d
                            *ls, buf = buf.split(b"\r\n")
                            for ln in ls:
                                if ln.startswith(b"Zq"):
                                    if b" OK" not in ln[:14]:
                                        raise Bad(ln.decode("latin1"))
                                    tags.popleft()
                                    left -= 1
                    else:
                        for o in range(0, len(msgs), 100):
                            g = c.tag()
                            c.send(g + b" APPEND " + box + b"".join(
                                b" (\\Seen) {%d+}\r\n" % len(x) + x for x in msgs[o:o + 100]) + b"\r\n")
                            _, st = c.until(g)
                            if not st.startswith(b"OK"):
                                raise Bad(st[:100].decode("latin1"))
                r = c.cmd(b"STATUS " + box + b" (MESSAGES)")
                if b"MESSAGES %d" % a.count not in r:
                    raise Bad("APPEND count: " + r[:90].decode())
                self.emit("append_" + mode, m, 1, {"count": a.count, "size": a.size},
                          per_s=round(a.count / m.result["wall_s"], 1), p50_ms=ms(pct(lat, 50)), p99_ms=ms(pct(lat, 99)),
                          cpu_s_per_1000=round(m.result.get("server_cpu_s", 0) * 1000 / a.count, 3))
            finally:
                self.drop_folder(c, box.decode())
        c.close()

    def body(self):
        a, t = self.a, self.t
        c = Imap(t, self.user, tls=a.tls)
        box = f"L{random.SystemRandom().getrandbits(32):08x}".encode()
        c.cmd(b"CREATE " + box)
        msg = (b"From: a@bench.example\r\nSubject: big\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" +
               (b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/==\r\n" * (a.size // 80 + 1)))
        try:
            with Settled(t) as m:
                c.append(box, msg)
            self.emit("append_big" + ("_tls" if a.tls else ""), m, 1, {"size": a.size},
                      MB_per_s=round(len(msg) / m.result["wall_s"] / 1e6, 1))
            c.cmd(b"SELECT " + box)
            tot = 0
            with Settled(t) as m:
                for _ in range(a.reps or 10):
                    tot += len(c.cmd(b"FETCH 1 (BODY.PEEK[])"))
            if tot < len(msg) * (a.reps or 10):
                raise Bad("short body")
            self.emit("body" + ("_tls" if a.tls else ""), m, a.reps or 10, {"size": a.size}, bytes=tot,
                      MB_per_s=round(tot / m.result["wall_s"] / 1e6, 1),
                      cpu_ms_per_MB=round(m.result.get("server_cpu_s", 0) / (tot / 1e6) * 1e3, 3))
        finally:
            self.drop_folder(c, box.decode())
            c.close()

    # ------------------------------------------------------------ many connections
    def login(self):
        a, t = self.a, self.t
        users = t.some_users(min(a.users, max(len(t.users), 1))) if t.users and a.users <= len(t.users) else \
            (t.bulk_users(a.users) or t.users)
        # Once each, then again and again: a server may remember for a while who has signed in.
        self.sign_ins("login_first", users, len(users))
        self.sign_ins("login", users, a.count)

    def sign_ins(self, name, users, count):
        a, t = self.a, self.t
        e = Engine(t, a.tls)
        it = itertools.islice(itertools.cycle(users), count)
        lat = []

        def one(c, u):
            t0 = c.t0
            yield b'LOGIN "%s" "%s"' % (u["alias"].encode(), u["password"].encode())
            lat.append(time.perf_counter() - t0)
            if a.select:
                yield b"SELECT INBOX"
            yield b"LOGOUT"
            u = next(it, None)
            if u:
                e.spawn(one, u)

        with Settled(t, .3) as m:
            for u in itertools.islice(it, a.conns):
                e.spawn(one, u)
            e.run(time.perf_counter() + a.limit)
        self.emit(name + ("_tls" if a.tls else "") + ("_select" if a.select else ""), m, 1,
                  {"conns": a.conns, "count": count, "users": len(users)}, done=len(lat),
                  per_s=round(len(lat) / m.result["wall_s"], 1), p50_ms=ms(pct(lat, 50)), p99_ms=ms(pct(lat, 99)),
                  cpu_s_per_1000=round(m.result.get("server_cpu_s", 0) * 1000 / max(1, len(lat)), 3),
                  errors=dict(e.err.most_common(4)))

    def idle(self):
        a, t = self.a, self.t
        raise_nofile(a.conns + 500)
        users = t.bulk_users(a.users) or t.users[:a.users]
        by = collections.defaultdict(list)
        e = Engine(t, a.tls)
        arrivals = []                  # (user index, time)
        ready = [0]
        roots = t.roots()
        n0, rss0, pss0 = mem_of(roots)

        def pushed(c, d, now):
            if b" EXISTS\r\n" in d:
                arrivals.append((c.ui, c.ci, now))

        def one(c, ui, ci):
            c.ui, c.ci = ui, ci
            u = users[ui]
            yield b'LOGIN "%s" "%s"' % (u["alias"].encode(), u["password"].encode())
            yield b"SELECT INBOX"
            c.on_idle = pushed
            ready[0] += 1
            if left:
                k = left.pop()
                e.spawn(one, k % len(users), k)
            yield "idle"

        left = list(range(a.conns))[::-1]
        with Settled(t, a.settle) as m:
            for _ in range(min(a.ramp, a.conns)):
                k = left.pop()
                e.spawn(one, k % len(users), k)
            end = time.perf_counter() + a.limit
            while time.perf_counter() < end and e.idling < a.conns:
                e.run(time.perf_counter() + .2)
        setup = m.result
        n1, rss1, pss1 = mem_of(roots)
        # quiet CPU: what 1,000 idlers cost while nothing happens
        with Meter(t) as q:
            e.run(time.perf_counter() + a.quiet)
        lat, lat_ack, want = [], [], 0
        with Settled(t, .5) as m:
            src = Imap(t, users[0]) if a.deliver == "append" else None
            sm = None
            srcs = {}
            for k in range(a.messages):
                ui = k % len(users)
                watchers = sum(1 for c in e.conns.values() if getattr(c, "ui", -1) == ui and c.mode == "idle")
                arrivals.clear()
                msg = b"From: x@bench.example\r\nTo: %s\r\nSubject: push %d\r\n\r\nhello\r\n" % (users[ui]["address"].encode(), k)
                if a.deliver == "append":
                    if ui not in srcs:
                        srcs[ui] = Imap(t, users[ui])
                    t0 = time.perf_counter()
                    # the idlers must be read while the append waits: send it, then run the engine
                    s = srcs[ui]
                    g = s.tag()
                    lit = b"LITERAL+" in s.caps
                    s.send(g + b" APPEND INBOX () {%d%s}\r\n" % (len(msg), b"+" if lit else b""))
                    if not lit:
                        s.plus()
                    s.send(msg, b"\r\n")
                    s.s.settimeout(30)
                    s.until(g)
                elif a.deliver == "maildir":
                    d = t.inbox_dir(users[ui])
                    nm = f"{time.time():.6f}.P{os.getpid()}Q{k}.bench"
                    p = d / "tmp" / nm
                    p.write_bytes(msg.replace(b"\r\n", b"\n"))
                    own_like(p, d / "new")
                    os.chmod(p, 0o644)
                    t0 = time.perf_counter()
                    os.rename(p, d / "new" / nm)
                else:
                    t0, sm = self.smtp_one(sm, users[ui]["address"].encode(), msg)
                ack = time.perf_counter()
                stop = ack + a.wait
                while time.perf_counter() < stop and len({x[1] for x in arrivals}) < watchers:
                    e.run(min(stop, time.perf_counter() + .05), once=True)
                want += watchers
                first = {}
                for _, ci, at in arrivals:
                    first.setdefault(ci, at)
                lat += [x - t0 for x in first.values()]
                lat_ack += [x - ack for x in first.values()]
            for s in srcs.values():
                s.close()
        self.emit(f"idle_{a.conns}", None, 1, {"conns": a.conns, "users": len(users), "deliver": a.deliver,
                                               "messages": a.messages},
                  idling=e.idling, setup_wall_s=round(setup["wall_s"], 2), setup_cpu_s=setup.get("server_cpu_s"),
                  processes=n1, rss_MB=round(rss1 / 1e6, 1), pss_MB=round(pss1 / 1e6, 1), base_pss_MB=round(pss0 / 1e6, 1),
                  pss_KB_per_conn=round((pss1 - pss0) / 1024 / max(1, e.idling), 2),
                  rss_KB_per_conn=round((rss1 - rss0) / 1024 / max(1, e.idling), 2),
                  quiet_cpu_s_per_min=round(q.result.get("server_cpu_s", 0) / max(.01, a.quiet) * 60, 3),
                  wall_s=round(m.result["wall_s"], 3), server_cpu_s=m.result.get("server_cpu_s"),
                  pushes=len(lat), pushes_expected=want,
                  p50_ms=ms(pct(lat, 50)), p99_ms=ms(pct(lat, 99)), max_ms=ms(max(lat, default=None)),
                  after_ack_p50_ms=ms(pct(lat_ack, 50)), after_ack_p99_ms=ms(pct(lat_ack, 99)),
                  errors=dict(e.err.most_common(4)))
        e.close_all()

    def smtp_one(self, s, rcpt, msg):
        def line():
            d = b""
            while not d.endswith(b"\r\n") or d.split(b"\r\n")[-2][3:4] == b"-":
                x = s.recv(65536)
                if not x:
                    raise Bad("smtp eof")
                d += x
            return d
        if s is None:
            s = socket.create_connection((self.t.smtp.get("host", "127.0.0.1"), self.t.smtp["port"]), 30)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line()
            s.sendall(b"EHLO bench.example\r\n")
            line()
        for x in (b"MAIL FROM:<sender@bench.example>\r\n", b"RCPT TO:<" + rcpt + b">\r\n", b"DATA\r\n"):
            s.sendall(x)
            r = line()
            if r[:1] not in b"23":
                raise Bad(r[:90].decode())
        t0 = time.perf_counter()
        s.sendall(msg + b".\r\n")
        if line()[:1] != b"2":
            raise Bad("smtp refused")
        return t0, s

    def zipf(self):
        a, t = self.a, self.t
        users = t.bulk_users(a.users) or t.users
        U = len(users)
        cum = list(itertools.accumulate(1 / (i + 1) ** a.s for i in range(U)))
        rng = random.Random(a.seed)
        # the same start every time: a fresh folder for each user, filled, and opened once
        box = f"Z{random.SystemRandom().getrandbits(32):08x}"
        BOX = box.encode()
        mine = self.user
        for u in users:
            self.user = u
            x = Imap(t, u)
            self.make_folder(x, box, a.per_user)
            x.cmd(b"SELECT " + BOX)
            x.cmd(b"FETCH 1:* (UID FLAGS RFC822.SIZE ENVELOPE)")
            x.close()
        e = Engine(t, a.tls)
        lat = collections.defaultdict(list)
        end = [0.0]
        ops = [("poll", 24), ("flags", 16), ("head", 14), ("body", 22), ("store", 8), ("search", 5), ("append", 4),
               ("copy", 2), ("status", 5)]
        names = [o for o, _ in ops]
        w = [x for _, x in ops]
        small = make_message(a.seed, 3, size=3000)[0]

        def session(c):
            while time.perf_counter() < end[0]:
                u = users[bisect.bisect_left(cum, rng.random() * cum[-1])]
                yield b'LOGIN "%s" "%s"' % (u["alias"].encode(), u["password"].encode())
                t0 = time.perf_counter()
                r = yield b"SELECT " + BOX
                lat["select"].append(time.perf_counter() - t0)
                n = int((EXISTS.findall(r) or [b"1"])[-1]) or 1
                for op in rng.choices(names, w, k=rng.randint(10, 40)):
                    if time.perf_counter() >= end[0]:
                        break
                    i = max(1, n - int(rng.expovariate(1 / 20)))
                    t0 = time.perf_counter()
                    if op == "poll":
                        r = yield b"NOOP"
                        x = EXISTS.findall(r)
                        n = int(x[-1]) if x else n
                    elif op == "flags":
                        yield b"UID FETCH 1:* (FLAGS)"
                    elif op == "head":
                        yield b"FETCH %d:%d (UID FLAGS RFC822.SIZE ENVELOPE)" % (max(1, i - 10), i)
                    elif op == "body":
                        yield b"FETCH %d (BODY.PEEK[])" % i
                    elif op == "store":
                        yield b"STORE %d %sFLAGS (\\Seen)" % (i, rng.choice([b"+", b"-"]))
                    elif op == "search":
                        yield b"SEARCH " + rng.choice([b"UNSEEN", b"FROM smith", b"SUBJECT report"])
                    elif op == "append":
                        yield (b"APPEND " + BOX + b" (\\Seen)", small)
                    elif op == "copy":
                        yield b"COPY %d " % i + BOX
                    elif op == "status":
                        yield b"STATUS " + BOX + b" (MESSAGES UNSEEN UIDNEXT)"
                    lat[op].append(time.perf_counter() - t0)
                yield b"LOGOUT"
                e.spawn(session)
                return

        with Settled(t, .3) as m:
            end[0] = time.perf_counter() + a.seconds
            for _ in range(a.conns):
                e.spawn(session)
            e.run(end[0] + 20)
        n = sum(map(len, lat.values()))
        al = [x for v in lat.values() for x in v]
        self.emit("zipf", m, 1, {"users": U, "conns": a.conns, "per_user": a.per_user, "s": a.s}, ops=n,
                  ops_per_s=round(n / m.result["wall_s"], 1), p50_ms=ms(pct(al, 50)), p99_ms=ms(pct(al, 99)),
                  cpu_s_per_1000_ops=round(m.result.get("server_cpu_s", 0) * 1000 / max(1, n), 3),
                  by_op={k: [len(v), ms(pct(v, 50)), ms(pct(v, 99))] for k, v in sorted(lat.items())},
                  errors=dict(e.err.most_common(5)))
        for u in users:
            self.user = u
            x = Imap(t, u)
            self.drop_folder(x, box)
            x.close()
        self.user = mine


class AC:
    """One connection of the Engine."""
    mode = "new"
    on_idle = None


class Engine:
    """epoll-driven IMAP sessions written as generators: yield a command (bytes), get the whole response;
    yield (command, literal) for APPEND; yield "idle" to stay in IDLE and have on_idle(c, data, now) called."""

    def __init__(self, t, tls=False):
        self.addr = (t.imap.get("host", "127.0.0.1"), t.imap["tls_port"] if tls else t.imap["port"])
        self.ctx = tls_context() if tls else None
        self.ep = select.epoll()
        self.conns = {}
        self.err = collections.Counter()
        self.idling = 0
        self.n = 0

    def spawn(self, gen, *args):
        c = AC()
        c.t0 = time.perf_counter()
        c.s = socket.socket()
        c.s.settimeout(30)
        try:
            c.s.connect(self.addr)
            c.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c.s.setblocking(False)
            if self.ctx:
                c.s = self.ctx.wrap_socket(c.s, do_handshake_on_connect=False)
                c.mode = "tls"
        except OSError as x:
            self.err["connect " + str(x)[:40]] += 1
            c.s.close()
            return
        if c.mode == "new":
            c.mode = "greet"
        c.fd = c.s.fileno()
        c.buf = b""
        c.out = b""
        c.lit = None
        c.g = gen(c, *args)
        self.conns[c.fd] = c
        self.ep.register(c.fd, select.EPOLLIN)
        if c.mode == "tls":
            self.event(c)

    def drop(self, c, why=None):
        if why:
            self.err[why] += 1
        if c.mode == "idle":
            self.idling -= 1
        self.conns.pop(c.fd, None)
        try:
            self.ep.unregister(c.fd)
        except (OSError, ValueError):
            pass
        c.s.close()

    def close_all(self):
        for c in list(self.conns.values()):
            self.drop(c)

    def send(self, c, d):
        c.out += d
        self.flush(c)

    def flush(self, c):
        had = True
        while c.out:
            try:
                n = c.s.send(c.out)
                c.out = c.out[n:]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self.ep.modify(c.fd, select.EPOLLIN | select.EPOLLOUT)
                c.wr = True
                return
        if getattr(c, "wr", False):
            self.ep.modify(c.fd, select.EPOLLIN)
            c.wr = False

    def step(self, c, resp):
        try:
            y = c.g.send(resp)
        except StopIteration:
            self.drop(c)
            return
        self.n += 1
        c.tag = b"Zx%x" % self.n
        c.buf = b""
        if y == "idle":
            c.mode = "idle?"
            self.send(c, c.tag + b" IDLE\r\n")
        elif isinstance(y, tuple):
            c.mode = "lit"
            c.lit = y[1]
            self.send(c, c.tag + b" " + y[0] + b" {%d}\r\n" % len(y[1]))
        else:
            c.mode = "bye" if y == b"LOGOUT" else "cmd"
            self.send(c, c.tag + b" " + y + b"\r\n")

    def event(self, c):
        if c.mode == "tls":
            try:
                c.s.do_handshake()
                c.mode = "greet"
            except ssl.SSLWantReadError:
                return
            except ssl.SSLWantWriteError:
                self.ep.modify(c.fd, select.EPOLLIN | select.EPOLLOUT)
                return
        if c.out:
            self.flush(c)
        while True:
            try:
                d = c.s.recv(262144)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not d:
                return self.drop(c, None if c.mode == "bye" else "eof in " + c.mode)
            now = time.perf_counter()
            if c.mode == "idle":
                if c.on_idle:
                    c.on_idle(c, d, now)
                return
            c.buf += d
            b = c.buf
            if not b.endswith(b"\n"):
                continue
            if c.mode == "greet":
                if b.startswith(b"* OK") or b.startswith(b"* PREAUTH"):
                    self.step(c, None)
                else:
                    return self.drop(c, b[:50].decode("latin1"))
            elif c.mode == "idle?":
                if b.startswith(b"+") or b"\r\n+" in b:
                    c.mode = "idle"
                    self.idling += 1
                else:
                    return self.drop(c, b[:50].decode("latin1"))
            elif c.mode == "lit" and (b.startswith(b"+") or b"\r\n+" in b):
                c.mode = "cmd"
                self.send(c, c.lit + b"\r\n")
                c.buf = b""
            else:
                k = b.rfind(c.tag + b" ", max(0, len(b) - 2000))
                if k == 0 or k > 0 and b[k - 1:k] == b"\n":
                    st = b[k + len(c.tag) + 1:k + len(c.tag) + 60]
                    if not st.startswith(b"OK"):
                        self.err[st.decode("latin1").strip()[:50]] += 1
                        if c.mode != "bye" and st.startswith(b"NO [") and b"LIMIT" in st:
                            return self.drop(c, "limit")
                    self.step(c, b)
            if c.fd not in self.conns or self.conns[c.fd] is not c:
                return
            if not self.ctx:
                return

    def run(self, until, once=False):
        while self.conns:
            to = until - time.perf_counter()
            if to <= 0:
                return
            for fd, ev in self.ep.poll(min(to, 1.0), 1024):
                c = self.conns.get(fd)
                if c:
                    try:
                        self.event(c)
                    except (OSError, ssl.SSLError) as x:
                        self.drop(c, f"{type(x).__name__} {x} in {c.mode}"[:60])
            if once:
                return


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("target")
    p.add_argument("what", choices=["mailbox", "append", "body", "login", "idle", "zipf"])
    p.add_argument("--n", type=int, default=1000)
    p.add_argument("--only")
    p.add_argument("--populate", choices=["maildir", "append"], default="maildir")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--reps", type=int, default=0)
    p.add_argument("--cold-reps", type=int, default=0)
    p.add_argument("--count", type=int, default=500)
    p.add_argument("--size", type=size_arg, default=None)
    p.add_argument("--mode", choices=["sync", "literal", "pipe", "multi", "all"], default="all")
    p.add_argument("--conns", type=int, default=20)
    p.add_argument("--users", type=int, default=20)
    p.add_argument("--select", action="store_true")
    p.add_argument("--tls", action="store_true")
    p.add_argument("--deliver", choices=["append", "smtp", "maildir"], default="append")
    p.add_argument("--messages", type=int, default=20)
    p.add_argument("--wait", type=float, default=5)
    p.add_argument("--quiet", type=float, default=3)
    p.add_argument("--ramp", type=int, default=50)
    p.add_argument("--settle", type=float, default=1.0, help="idle: seconds before memory is read")
    p.add_argument("--seconds", type=float, default=15)
    p.add_argument("--per-user", type=int, default=200)
    p.add_argument("--s", type=float, default=1.1)
    p.add_argument("--limit", type=float, default=90)
    p.add_argument("--out")
    a = p.parse_args(argv)
    if a.size is None:
        a.size = size_arg("10m" if a.what == "body" else "10k")
    lab = Lab(a)
    if not lab.t.imap:
        return emit({"target": lab.t.name, "scenario": a.what, "skip": "no imap"}, a.out)
    wait_until_idle(lab.t, window=1, most=300)
    try:
        getattr(lab, a.what)()
    except Bad as e:
        emit({"bench": "imap", "target": lab.t.name, "scenario": a.what, "error": str(e)}, a.out)
        return 1


if __name__ == "__main__":
    sys.exit(main())
