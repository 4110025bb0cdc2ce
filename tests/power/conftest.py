"""Hundreds of small trees are made here: in memory, where there is a place for that."""

import os
import shutil
import tempfile

import pytest

MEMORY = "/dev/shm"


@pytest.fixture
def place():
    """A directory for trees, gone afterwards."""
    path = tempfile.mkdtemp(prefix="power-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
    yield path
    shutil.rmtree(path, ignore_errors=True)
