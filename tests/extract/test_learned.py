"""Site-wide repeats: what is learned of many pages, and cut out of one."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crawler.config.learned import Learned, read_learned, sealed, written
from crawler.config.portal import ItemRule, Portal
from crawler.extract import extract_explained, extract_item
from crawler.extract.learned import Article, learn
from crawler.model import Capture, Kind, Link, Response

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
REPEAT = "本栏目由港务通讯社每日清晨整理，欢迎来信。"
LOGO = "https://harbour.example/logo.png"
TOPICS = ("渡轮", "灯塔", "码头", "船坞", "潮汐", "航标", "渔港", "货轮")


def page(number: int, *, repeat: str = REPEAT, label: str = "", logo: str = "") -> str:
    """Return an item page with its own text, between what many pages say."""
    topic = TOPICS[number]
    own = "".join(
        f"<p>{topic}的第{at}段消息，说的是{topic}在{number}号泊位的{at}件新鲜事。</p>"
        for at in range(4)
    )
    labelled = f"<h3>{label}</h3>" if label else ""
    image = f"<img src={logo}>" if logo else ""
    return (
        f"<html><head><title>{topic}新闻_港务网</title></head><body>"
        f"<h1>{topic}新闻</h1><div class=b><p>{repeat}</p>{labelled}{own}{image}</div>"
    )


def portal(learned: Learned | None = None, **rule: str) -> Portal:
    """Return a portal whose item rule has these keys beside the body's."""
    item = ItemRule.model_validate({"match": "", "body": ".b", **rule})
    return Portal(id="harbour", items=(item,), learned=learned)


def learned_of(pages: list[str]) -> Learned:
    """Learn of pages, each at an address of its own."""
    articles = []
    for number, text in enumerate(pages):
        url = f"https://harbour.example/{number}"
        item = extract_item(text.encode(), url=url, captured_at=AT, portal=portal())
        head = text.partition("<title>")[2].partition("</title>")[0]
        articles.append(Article(item, f"urn:uuid:{number}", head))
    return learn(articles, "harbour", "portalkeep/test")


def test_line_image_and_suffix_of_three_articles_are_learned() -> None:
    """What three articles have is a repeat; what their text says is not."""
    found = learned_of([page(n, logo=LOGO) for n in range(3)])
    assert [(line.text, line.pages) for line in found.lines] == [(REPEAT, 3)]
    assert found.images == (LOGO,)
    assert found.title_suffixes == ("_港务网",)
    assert found.articles == 3
    assert found.records == ("urn:uuid:0", "urn:uuid:1", "urn:uuid:2")


def test_two_articles_are_too_few() -> None:
    """A line of two articles stays."""
    others = [page(n, repeat=f"{TOPICS[n]}是个好题目，写了一行。") for n in (2, 3)]
    found = learned_of([page(0), page(1), *others])
    assert found.lines == ()


def test_versions_of_one_article_count_once() -> None:
    """An article republished twice with a word changed makes no repeat of its text."""
    text = page(0, repeat="早。")
    versions = [text, text.replace("的0件", "的一件"), text.replace("的1件", "的二件")]
    found = learned_of([*versions, page(1, repeat="午间好。"), page(2, repeat="晚。")])
    assert found.articles == 3
    assert found.lines == ()


def test_heading_that_own_text_follows_stays() -> None:
    """All of a series have the label; it is part of their text."""
    found = learned_of([page(n, label="今日要点一览") for n in range(4)])
    assert [line.text for line in found.lines] == [REPEAT]


def test_learned_lines_and_images_are_excluded() -> None:
    """The item has neither; each is named among what was left out, with the reason."""
    found = learned_of([page(n, logo=LOGO) for n in range(3)])
    url = "https://harbour.example/7"
    text = page(7, logo=LOGO).replace(
        "</div>", "<img src=/ship.png><p>末尾。</p></div>"
    )
    link = Link(url, Kind.ITEM)
    main = Response(url, 200, (), text.encode(), AT)
    made = extract_explained(Capture("p", link, main, AT), portal(found))
    assert made.item is not None
    reasons = {line.text: line.reason for line in made.excluded}
    assert (reasons[REPEAT], reasons[LOGO]) == ("site_repeat", "site_repeat")
    assert REPEAT not in (made.item.body_text or "")
    (image,) = made.item.images
    assert image.url == "https://harbour.example/ship.png"
    assert made.item.blocks[image.position or 0].url == image.url


def test_title_loses_the_learned_suffix() -> None:
    """A title that is read from the title element ends where the headline does."""
    found = learned_of([page(n) for n in range(3)])
    url = "https://harbour.example/7"
    rules = portal(found, title="title")
    item = extract_item(page(7).encode(), url=url, captured_at=AT, portal=rules)
    assert item.title == "货轮新闻"
    bare = portal(title="title")
    item = extract_item(page(7).encode(), url=url, captured_at=AT, portal=bare)
    assert item.title == "货轮新闻_港务网"


def test_rules_with_a_learned_file_are_other_rules() -> None:
    """The digest in an item's provenance names the learned file, too."""
    url, body = "https://harbour.example/7", page(7).encode()
    learned = [learned_of([page(n) for n in few]) for few in (range(3), range(4))]
    digests = {
        extract_item(
            body, url=url, captured_at=AT, portal=portal(one)
        ).provenance.config_digest
        for one in (None, *learned)
    }
    assert len(digests) == 3


@given(
    st.lists(st.tuples(st.text(), st.integers(0, 9)), max_size=4),
    st.lists(st.text(), max_size=3),
)
def test_a_written_file_reads_back(
    lines: list[tuple[str, int]], suffixes: list[str]
) -> None:
    """Whatever was learned, the file says it."""
    learned = sealed(
        {
            "portal": "harbour",
            "extractor": "portalkeep/test",
            "records": ["urn:uuid:1"],
            "articles": 3,
            "lines": [{"text": text, "pages": n} for text, n in lines],
            "title_suffixes": suffixes,
        }
    )
    assert read_learned(written(learned).encode(), "harbour") == learned
