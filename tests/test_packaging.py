"""An installed unitymail is whole: twistd finds the plugin from any directory, and the migrations came along."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package in a folder of its own, from a copy of the sources, without its dependencies."""
    source = tmp_path_factory.mktemp("source") / "unitymail"
    wanted = ("unitymail", "twisted", "setup.cfg", "pyproject.toml", "README.rst")
    source.mkdir()
    for name in wanted:
        place = ROOT / name
        copy = shutil.copytree if place.is_dir() else shutil.copy
        copy(place, source / name)
    target = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
         "--target", str(target), str(source)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


def run(installed, *words):
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True, text=True, cwd="/", env={**os.environ, "PYTHONPATH": str(installed)}, timeout=60,
    )  # fmt: skip


def test_twistd_knows_the_plugin_from_any_directory(installed):
    """`twistd unitymail --help` prints our options."""
    done = run(installed, "-c", "from twisted.scripts.twistd import run; run()", "unitymail", "--help")
    assert done.returncode == 0, done.stderr
    assert "--config" in done.stdout and "--check" in done.stdout


def test_the_installed_package_makes_a_node(installed, tmp_path):
    """`unitymail init` works from what was installed alone: modules, migrations and all."""
    done = run(installed, "-m", "unitymail.ctl", "init", str(tmp_path / "node"), "--domain", "vm1.example.com")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "node" / "directory.sqlite").exists()
    where = run(installed, "-c", "import unitymail; print(unitymail.__file__)").stdout
    assert where.startswith(str(installed))


def test_no_package_is_left_behind(installed):
    """Every module of the sources is in the installed package."""
    def modules(root):
        return {str(path.relative_to(root)) for path in (root / "unitymail").rglob("*.py")}

    assert modules(ROOT) == modules(installed)
