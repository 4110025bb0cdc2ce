"""A disk that remembers every call, and what another disk could show if the power had been cut after any of them.

The model is harsher than real file systems: a name is durable only when its own directory was flushed, data only when
its own file was, each independently of everything else; a SQLite file is what it was at its last durable commit. After
a flush that failed the next one of that file does well, and writes nothing (as Linux has it).
"""

import fcntl
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable

from zope.interface import implementer

from unitymail.disk import Disk
from unitymail.interfaces.disk import IDisk

DROPPED, NAMES, KILLED = "dropped", "names", "killed"
"""What a cut leaves of what was not flushed: nothing; the names without the data; everything (kill -9, no cut)."""


class HastyDisk(Disk):
    """The real disk without its flushes: quick, where nobody cuts the power."""

    def flush(self, fd):
        pass

    def flush_directory(self, path):
        pass

    def flush_filesystem(self, path):
        pass

    def begin(self, connection, *, durable):
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")


@implementer(IDisk)
class RecordingDisk:
    """The real disk below `root`, with a log of events. `before` is called with each call's name, and may raise."""

    def __init__(self, root, before=None):
        self.root = os.path.abspath(root)
        self.events = []
        self.before = before or (lambda call: None)
        self._disk = HastyDisk()
        self._lock = threading.Lock()
        self._inodes = {}
        self._count = 0
        self._databases = {}
        self._durable = {}
        self._take_in()
        self.began = len(self.events)

    def _take_in(self):
        """What lies there already is durable: the first events, up to `began`, make it."""
        seen = {}
        for place, directories, names in os.walk(self.root):
            for name in directories:
                self._log("mkdir", self._path(os.path.join(place, name)))
            for name in names:
                path = os.path.join(place, name)
                number = os.stat(path).st_ino
                if name.endswith((".sqlite", ".sqlite-wal", ".sqlite-shm")):
                    self._log("sqlite", {self._path(path): _packed(path)}, True)
                elif number in seen:
                    self._log("link", seen[number], self._path(path))
                else:
                    seen[number] = self._path(path)
                    self._log("create", seen[number], inode := self._new_inode(number))
                    self._log("write", inode, 0, _read(path))
        if self.events:
            self._log("flush_filesystem")

    def mark(self, *what):
        """Note in the log that something was promised by now."""
        self.events.append(("mark", what))

    def _log(self, *event):
        with self._lock:
            self.events.append(event)

    def _path(self, path):
        return os.path.relpath(os.path.abspath(path), self.root)

    def _new_inode(self, number):
        self._count += 1
        self._inodes[number] = self._count
        return self._count

    def _inode(self, fd):
        return self._inodes[os.fstat(fd).st_ino]

    def create(self, path, mode=0o600):
        self.before("create")
        fd = self._disk.create(path, mode)
        self._log("create", self._path(path), self._new_inode(os.fstat(fd).st_ino))
        return fd

    def append_to(self, path, mode=0o600):
        self.before("append_to")
        new = not os.path.exists(path)
        fd = self._disk.append_to(path, mode)
        if new:
            self._log("create", self._path(path), self._new_inode(os.fstat(fd).st_ino))
        return fd

    def overwrite(self, path):
        self.before("overwrite")
        return self._disk.overwrite(path)

    def write(self, fd, data):
        self.before("write")
        size = os.fstat(fd).st_size
        appending = bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND)
        at = size if appending else os.lseek(fd, 0, os.SEEK_CUR)
        self._disk.write(fd, data)
        self._log("write", self._inode(fd), at, bytes(data))

    def write_at(self, fd, data, offset):
        self.before("write_at")
        self._disk.write_at(fd, data, offset)
        self._log("write", self._inode(fd), offset, bytes(data))

    def truncate(self, fd, size):
        self.before("truncate")
        self._disk.truncate(fd, size)
        self._log("truncate", self._inode(fd), size)

    def flush(self, fd):
        try:
            self.before("flush")
        except OSError:
            self._log("not_flushed", self._inode(fd))
            raise
        self._disk.flush(fd)
        self._log("flush", self._inode(fd))

    def close(self, fd):
        self._disk.close(fd)

    def link(self, source, target):
        self.before("link")
        self._disk.link(source, target)
        self._log("link", self._path(source), self._path(target))

    def rename(self, source, target):
        self.before("rename")
        self._disk.rename(source, target)
        self._log("rename", self._path(source), self._path(target))

    def unlink(self, path):
        self.before("unlink")
        self._disk.unlink(path)
        self._log("unlink", self._path(path))

    def set_times(self, path, seconds):
        self.before("set_times")
        self._disk.set_times(path, seconds)

    def set_mode(self, path, mode):
        self.before("set_mode")
        self._disk.set_mode(path, mode)

    def make_directory(self, path):
        self.before("make_directory")
        self._disk.make_directory(path)
        self._log("mkdir", self._path(path))

    def remove_directory(self, path):
        self.before("remove_directory")
        self._disk.remove_directory(path)
        self._log("unlink", self._path(path))

    def flush_directory(self, path):
        self.before("flush_directory")
        self._disk.flush_directory(path)
        self._log("flush_directory", self._path(path))

    def flush_filesystem(self, path):
        try:
            self.before("flush_filesystem")
        except OSError:
            self._log("nothing_flushed")
            raise
        self._log("flush_filesystem")

    def connect(self, path):
        self.before("connect")
        connection = self._disk.connect(path)
        self._databases[id(connection)] = path
        return connection

    def begin(self, connection, *, durable):
        self.before("begin")
        self._disk.begin(connection, durable=durable)
        self._durable[id(connection)] = durable

    def commit(self, connection):
        try:
            self.before("commit")
        except OSError as error:
            raise sqlite3.OperationalError("database or disk is full") from error
        self._disk.commit(connection)
        path = self._databases[id(connection)]
        files = {self._path(name): self._pages(name) for name in (path, path + "-wal")}
        self._log("sqlite", files, self._durable.get(id(connection), True))

    def rollback(self, connection):
        self._disk.rollback(connection)

    def _pages(self, path):
        return _packed(path)


class ForgetfulDisk(RecordingDisk):
    """Where calls fail and nobody cuts the power: what databases held after each commit is not kept."""

    def _pages(self, path):
        return b""


def _packed(path):
    """A database is mostly empty pages, and a recording has it hundreds of times."""
    octets = _read(path)
    return zlib.compress(octets, 1) if octets else b""


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


class File:
    def __init__(self, data=b"", durable=b""):
        self.data = bytearray(data)
        self.durable = bytes(durable)
        self.lost = False

    def flush(self):
        if not self.lost or self.durable.startswith(self.data):
            self.durable = bytes(self.data)


class Directory:
    def __init__(self):
        self.names = {}
        self.durable = {}


class Model:
    """What the disk holds after some events: as seen, and as flushed."""

    def __init__(self, events: Iterable = ()):
        self.root = Directory()
        self.files = {}
        self.databases = {}
        for event in events:
            self.apply(event)

    def apply(self, event):
        getattr(self, f"on_{event[0]}")(*event[1:])

    def place(self, path):
        """(the directory object, the last name) of a path."""
        *parents, name = path.split("/")
        directory = self.root
        for parent in parents:
            directory = directory.names[parent]
        return directory, name

    def on_mark(self, what):
        pass

    def on_create(self, path, inode):
        directory, name = self.place(path)
        directory.names[name] = self.files[inode] = File()

    def on_write(self, inode, at, data):
        file = self.files[inode].data
        file.extend(bytes(max(0, at - len(file))))
        file[at : at + len(data)] = data

    def on_truncate(self, inode, size):
        del self.files[inode].data[size:]

    def on_flush(self, inode):
        self.files[inode].flush()

    def on_not_flushed(self, inode):
        self.files[inode].lost = True

    def on_nothing_flushed(self):
        for file in self.files.values():
            file.lost = file.lost or file.durable != file.data

    def on_link(self, source, target):
        directory, name = self.place(source)
        thing = directory.names[name]
        directory, name = self.place(target)
        directory.names[name] = thing

    def on_rename(self, source, target):
        directory, name = self.place(source)
        thing = directory.names.pop(name)
        directory, name = self.place(target)
        directory.names[name] = thing

    def on_unlink(self, path):
        directory, name = self.place(path)
        del directory.names[name]

    def on_mkdir(self, path):
        directory, name = self.place(path)
        directory.names[name] = Directory()

    def on_flush_directory(self, path):
        directory = self.root
        for name in path.split("/") if path != "." else ():
            directory = directory.names[name]
        directory.durable = dict(directory.names)

    def on_flush_filesystem(self):
        for file in self.files.values():
            file.flush()
        self._flush_below(self.root)
        for path, (current, _) in self.databases.items():
            self.databases[path] = (current, current)

    def _flush_below(self, directory):
        directory.durable = dict(directory.names)
        for thing in directory.names.values():
            if isinstance(thing, Directory):
                self._flush_below(thing)

    def on_sqlite(self, files, durable):
        for path, data in files.items():
            _, before = self.databases.get(path, (None, None))
            self.databases[path] = (data, data if durable else before)

    def build(self, root, variant):
        """Write the tree that a cut now could leave."""
        os.makedirs(root)
        self._build(self.root, root, variant, {})
        for path, (current, durable) in self.databases.items():
            data = current if variant == KILLED else durable
            place = os.path.join(root, path)
            if data and os.path.isdir(os.path.dirname(place)):
                with open(place, "wb") as file:
                    file.write(zlib.decompress(data))

    def _build(self, directory, path, variant, made):
        names = directory.durable if variant == DROPPED else directory.names
        for name, thing in names.items():
            place = os.path.join(path, name)
            if isinstance(thing, Directory):
                os.mkdir(place, 0o700)
                self._build(thing, place, variant, made)
            elif id(thing) in made:
                os.link(made[id(thing)], place)
            else:
                with open(place, "wb") as file:
                    file.write(thing.data if variant == KILLED else thing.durable)
                made[id(thing)] = place
