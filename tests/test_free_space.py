"""Mail may take what is free, less what is kept."""

import math
import os
from types import SimpleNamespace

import pytest

from unitymail.free_space import LOOK_EVERY_S, MIB, FreeSpace


@pytest.fixture
def disks(monkeypatch):
    """Free blocks of 4 KiB by folder; `asked` counts the questions."""
    found = SimpleNamespace(blocks={"/accounts": 100_000, "/spool": 50_000}, asked=0)

    def statvfs(folder):
        found.asked += 1
        if folder not in found.blocks:
            raise FileNotFoundError(2, "gone", folder)
        return SimpleNamespace(f_bavail=found.blocks[folder], f_frsize=4_096)

    monkeypatch.setattr(os, "statvfs", statvfs)
    return found


def test_the_smaller_one_counts(disks):
    """Where accounts and spool lie on two file systems, the fuller one says how much."""
    assert FreeSpace(("/accounts", "/spool"), 64, lambda: 0.0)() == 50_000 * 4_096 - 64 * MIB
    disks.blocks["/accounts"] = 1_000
    assert FreeSpace(("/accounts", "/spool"), 64, lambda: 0.0)() < 0


def test_it_is_asked_once_a_second(disks):
    """A thousand messages a second ask the kernel once, also where the clock is set back."""
    now = [10.0]
    free = FreeSpace(("/spool",), 64, lambda: now[0])
    before = free()
    disks.blocks["/spool"] = 0
    now[0] += LOOK_EVERY_S / 2
    assert free() == before and disks.asked == 1
    now[0] -= 3_600
    assert free() == -64 * MIB and disks.asked == 2


def test_no_bound(disks):
    """With 0 nobody looks."""
    assert FreeSpace(("/spool",), 0, lambda: 0.0)() == math.inf and not disks.asked


def test_a_folder_that_cannot_be_looked_at(disks):
    """It refuses nothing: whoever writes there hears what is wrong."""
    assert FreeSpace(("/elsewhere",), 64, lambda: 0.0)() == math.inf
