"""What a conversion needs of the disk."""

import errno
import os
from types import SimpleNamespace

import pytest

from unitymail.courier.scratch import temporary, tried_again
from unitymail.interfaces.errors import TryAgain


def test_nothing_is_left(tmp_path):
    """A temporary file lies on the item's disk and has no name there."""
    with temporary(SimpleNamespace(path=str(tmp_path / "item.eml"))) as file:
        file.write(b"octets")
        assert os.fstat(file.fileno()).st_dev == os.stat(tmp_path).st_dev
        assert os.listdir(tmp_path) == []
        assert os.fstat(file.fileno()).st_nlink == 0


@pytest.mark.parametrize(("number", "status"), [
    (errno.ENOSPC, "4.3.1"), (errno.EDQUOT, "4.3.1"), (errno.EIO, "4.3.0"), (errno.ENOENT, "4.3.0"),
])
def test_a_disk_that_fails(number, status):
    """It is tried again; that the disk is full is said only when it is."""
    with pytest.raises(TryAgain) as trouble, tried_again("converting 0trace"):
        raise OSError(number, "odd")
    assert trouble.value.reply.enhanced == status
    assert "converting 0trace" in str(trouble.value)


def test_what_is_no_matter_of_the_disk():
    """Other errors stay what they are."""
    with pytest.raises(KeyError), tried_again("converting 0trace"):
        raise KeyError
