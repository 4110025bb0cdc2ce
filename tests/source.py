"""The house's own source as trees, for the tests that read it."""

import ast
import gc


def tree_of(path):
    """The tree of a file. No garbage is collected meanwhile: a finaliser that formats a traceback parses source itself,
    which Python 3.11 takes for a broken tree (https://github.com/python/cpython/issues/106905).
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        if collects:
            gc.enable()
