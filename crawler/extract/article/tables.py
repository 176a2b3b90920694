"""Tables that hold data, told apart from those that only lay a page out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.document.text import visible_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MAX_CELL_CHARACTERS = 300
_MIN_COLUMNS = 2


def data_rows(node: HtmlElement) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a data table by row; () for a layout table."""
    if any(inner is not node for inner in node.iter("table")):
        return ()
    read = (
        tuple(visible_text(cell) for cell in row.iter("td", "th"))
        for row in node.iter("tr")
    )
    rows = tuple(row for row in read if any(row))
    if not rows or max(map(len, rows)) < _MIN_COLUMNS:
        return ()
    longest = max(len(cell) for row in rows for cell in row)
    return rows if longest <= _MAX_CELL_CHARACTERS else ()
