"""Rows from what spreadsheets write, and from anything else: each is read or told with its line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.admin.operations.csv_rows import BadRow, Row, rows_of
from unitymail.interfaces.directory import Refused

KNOWN = ("alias", "first_name", "proxy")


def read(octets):
    return list(rows_of(io.BytesIO(octets), KNOWN, "alias"))


def test_what_spreadsheets_write():
    """A byte-order mark, both line ends, other separators, quotes, blank lines, cells that are not there."""
    wanted = [
        Row(2, {"alias": "robin", "first_name": "Robin, the first", "proxy": ""}),
        Row(4, {"alias": "zoë", "first_name": 'a "b"\nc', "proxy": "x"}),
        Row(6, {"alias": "kim", "first_name": "", "proxy": ""}),
    ]
    for separator in ",;\t":
        for end in ("\n", "\r\n"):
            lines = (
                "Alias,First-Name, PROXY ", 'robin,"Robin, the first"', "", f'zoë,"a ""b""{chr(10)}c",x', "kim",
            )  # fmt: skip
            text = end.join(line.replace(",", separator) for line in lines).replace(f"Robin{separator}", "Robin,")
            for encoding in ("utf-8", "utf-8-sig", "utf-16"):
                assert read(text.encode(encoding)) == wanted, (separator, end, encoding)


def test_names_of_columns_as_options_are_written():
    """With dashes, spaces or underscores; empty ones at the end are no columns."""
    assert read(b"--alias,First name,,\nrobin,Robin,,\n") == [Row(2, {"alias": "robin", "first_name": "Robin"})]


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "must name the columns"),
        (b"first_name\nRobin\n", "alias among them"),
        (b"alias,Nickname\nrobin,rob\n", "'Nickname' is not known; known are alias, first_name, proxy"),
        (b"alias,,proxy\n", "'' is not known"),
        (b"alias,proxy,Alias\n", "alias is there twice"),
        (b"alias,\xff\xe9\n", "is not known"),
        (b'alias,"proxy\n', "cannot be read as column names"),
    ],
)
def test_a_wrong_header_refuses_the_file(octets, why):
    """Before any row is looked at, with the columns that there are."""
    with pytest.raises(Refused) as refused:
        read(octets)
    assert why in str(refused.value)


def test_bad_rows_are_told_and_the_next_are_read():
    """Cells too many, quotes that do not close as they should, letters of another encoding."""
    found = read(b'alias,proxy\na,b,c\nd,"e"f\ng,h\n\n"i\xff",\nj,k\n')
    assert [one.line for one in found] == [2, 3, 4, 6, 7]
    assert isinstance(found[0], BadRow)
    assert "3 cells" in found[0].why
    assert "quotes" in found[1].why
    assert found[2] == Row(4, {"alias": "g", "proxy": "h"})
    assert "not UTF-8" in found[3].why
    assert found[4] == Row(7, {"alias": "j", "proxy": "k"})


def test_an_endless_quote_is_one_bad_row():
    """What follows belongs to it; memory is bounded by the longest cell that csv takes."""
    found = read(b'alias\na\n"b' + b"\nx" * 50)
    assert found[0] == Row(2, {"alias": "a"})
    assert isinstance(found[1], BadRow)
    assert len(found) == 2


@given(st.binary(max_size=300))
def test_no_octets_do_harm(octets):
    """Whatever is in the file, rows come out, or bad rows, or one refusal."""
    for beginning in (b"", b"alias\n", b'alias,proxy\r\n"'):
        try:
            found = read(beginning + octets)
        except Refused as refused:
            assert str(refused).endswith(".")
            continue
        for one in found:
            assert one.line >= 2
            assert isinstance(one, Row) or one.why.endswith(".")


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;\n'), max_size=12)


@given(st.lists(st.tuples(CELLS.filter(str.strip), CELLS, CELLS), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_csv_writes_is_read_back(rows, end):
    """Every cell as it was, whatever is in it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=end)
    writer.writerow(KNOWN)
    writer.writerows(rows)
    found = read(file.getvalue().encode())
    assert [tuple(one.cells.values()) for one in found] == rows
