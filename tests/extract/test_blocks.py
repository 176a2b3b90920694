import pytest

from crawler.extract.article.blocks import Piece, walk
from crawler.extract.document.page import Page

URL = "http://h.example/a/b"
LAZY = ("data-original", "data-src")


def pieces(html: str, *, lazy: tuple[str, ...] = LAZY) -> list[Piece]:
    """Walk the page's body element."""
    page = Page(html, URL)
    return walk([page.tree.find("body")], page, lazy=lazy).pieces


def shown(html: str) -> list[tuple[str, str]]:
    """Return (type, text or address) of each piece."""
    return [
        (each.type, each.image.url if each.image else each.text)
        for each in pieces(html)
    ]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a</p><p>b</p>", [("paragraph", "a"), ("paragraph", "b")]),
        ("<p>a<br>b</p>", [("paragraph", "a"), ("paragraph", "b")]),
        (
            "x<br>y<p>z</p>tail",
            [("paragraph", text) for text in ("x", "y", "z", "tail")],
        ),
        ("<div>a<div>b</div>c</div>", [("paragraph", text) for text in "abc"]),
        ("<p>中<a href=x>文</a>字</p>", [("paragraph", "中文字")]),
        ("<p>　　段\u200b落　</p>", [("paragraph", "段落")]),
        ("<h2>h</h2><p>t</p>", [("heading", "h"), ("paragraph", "t")]),
        (
            "<blockquote><p>a</p><p>b</p></blockquote>c",
            [("quote", "a"), ("quote", "b"), ("paragraph", "c")],
        ),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", [("list", "a\nb\nc")]),
        ("<ul><p>a</p></ul>", [("paragraph", "a")]),
        ("<pre>a\n  b</pre>", [("code", "a\n  b")]),
        ("<table><tr><td>1<td>2<tr><td>3<td>4</table>", [("table", "1\t2\n3\t4")]),
        (
            "<table><tr><td><p>a</p><p>b</p></td></tr></table>",
            [("paragraph", "a"), ("paragraph", "b")],
        ),
        ("a<script>x</script><style>y</style><p hidden>z</p>", [("paragraph", "a")]),
        ("<!-- c --><p>a</p>", [("paragraph", "a")]),
    ],
)
def test_text_becomes_pieces(html: str, expected: list[tuple[str, str]]) -> None:
    """Markup decides where a piece ends and what it is; text stays as printed."""
    assert shown(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<img src=/img/blank.gif data-original=/a.png>", "/a.png"),
        ("<img src=1x1.gif data-src=/a.png>", "/a.png"),
        ("<img src=/s.png srcset='/m.png 400w, /l.png 800w'>", "/l.png"),
        ("<img src='data:image/gif;base64,R0' data-src=/a.png>", "/a.png"),
        ("<picture><source srcset=/p.webp><img></picture>", "/p.webp"),
        ("<img src=//cdn.example/a.png>", "http://cdn.example/a.png"),
    ],
)
def test_image_addresses(html: str, expected: str) -> None:
    """The real address is found behind placeholders and among sizes."""
    if expected.startswith("/"):
        expected = f"http://h.example{expected}"
    assert shown(html) == [("image", expected)]


@pytest.mark.parametrize(
    "html",
    [
        "<img src=/img/blank.gif>",
        "<img src=/track.png width=1 height=1>",
        "<img src='data:image/gif;base64,R0'>",
        "<img>",
    ],
)
def test_placeholders_are_no_images(html: str) -> None:
    """Placeholders and tracking pixels give no block."""
    assert shown(html) == []


def test_an_image_once() -> None:
    """A picture that stands twice in the body is one block."""
    assert len(pieces("<img src=/a.png><p>x</p><img src=/a.png>")) == 2


def test_an_image_inside_a_line_does_not_cut_it() -> None:
    """A line with an image in its middle stays one line, the image after it."""
    assert shown("<p>a<img src=/i.png>b</p>") == [
        ("paragraph", "ab"),
        ("image", "http://h.example/i.png"),
    ]


def test_caption_of_figure_and_size() -> None:
    """The caption is the figure's, and no paragraph of its own."""
    html = "<figure><img src=/a.png alt=alt width=640 height=480px>"
    (piece,) = pieces(html + "<figcaption> the caption </figcaption></figure>")
    assert piece.image is not None
    assert piece.image.caption == "the caption"
    assert (piece.image.width, piece.image.height) == (640, 480)


def test_bold_lines_are_told() -> None:
    """A wholly bold line is marked, one with bold words is not."""
    html = "<p><strong>a</strong></p><p><b>b</b>c</p><p style='font-weight:700'>d</p>"
    assert [each.bold for each in pieces(html)] == [True, False, True]


def test_heading_level() -> None:
    """A heading keeps its level."""
    assert [each.level for each in pieces("<h1>a</h1><h3>b</h3>c")] == [1, 3, None]


def test_removed_elements_and_their_tails() -> None:
    """A removed element goes with all inside; the text after it stays."""
    page = Page("<body><div id=b>a<i class=x>b<b>c</b></i>d</div>", URL)
    body = page.tree.get_element_by_id("b")
    walked = walk([body], page, removed=body.find_class("x"))
    assert [each.text for each in walked.pieces] == ["ad"]


def test_nested_bodies_are_read_once() -> None:
    """A body inside another is read with the outer one."""
    page = Page("<body><div id=a>x<div id=b>y</div></div>", URL)
    both = [page.tree.get_element_by_id("b"), page.tree.get_element_by_id("a")]
    assert [each.text for each in walk(both, page).pieces] == ["x", "y"]


def test_rows_and_items() -> None:
    """Lists keep their entries and tables their cells."""
    (table,) = pieces("<table><tr><th>a<th>b<tr><td>1<td>2</table>")
    assert table.rows == (("a", "b"), ("1", "2"))
    (entries,) = pieces("<ol><li>a<br>b</li><li></li><li>c</li></ol>")
    assert entries.items == ("a b", "c")


def test_links_and_videos() -> None:
    """Links with a text and videos are told beside the pieces."""
    page = Page("<body><a href=/x>t</a><a href=/y></a><video src=/v.mp4></video>", URL)
    walked = walk([page.tree.find("body")], page)
    assert walked.links == [("http://h.example/x", "t")]
    assert walked.videos == [("http://h.example/v.mp4", None)]
