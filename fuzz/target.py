"""Finding the targets, and what each begins with. Refuses to know what they check, and who runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from fuzz import targets

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """`seeds` are whole inputs, `words` pieces of them; `doc` is what the file says of itself."""

    name: str
    one: Callable[[bytes], None]
    seeds: Sequence[bytes] = ()
    words: Sequence[bytes] = ()
    doc: str = ""


def names() -> list[str]:
    """Every target there is."""
    return sorted(module.name for module in iter_modules(targets.__path__))


def load(name: str) -> Target:
    """The target of that name. Raises KeyError."""
    if name not in names():
        raise KeyError(name)
    module = import_module(f"{targets.__name__}.{name}")
    return Target(
        name, module.one, tuple(getattr(module, "SEEDS", ())), tuple(getattr(module, "WORDS", ())), module.__doc__ or ""
    )


def kept(name: str) -> list[Path]:
    """Files with octets that once broke what this target checks."""
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())
