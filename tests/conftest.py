"""Every test runs in a folder of its own run: what trial's `mktemp` makes never lands in the sources."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def a_folder_of_its_own(tmp_path_factory):
    """The working directory of the whole run."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("work"))
    yield
    os.chdir(before)
