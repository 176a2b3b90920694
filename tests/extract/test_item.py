import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config.portal import Portal
from crawler.errors import LayoutChanged, NotExtracted
from crawler.extract import extract_item
from crawler.extract.article.lead import is_lead
from crawler.extract.document.rules import rule_for
from crawler.extract.hashes import content_hash, item_hash, item_id
from crawler.extract.item import Extraction, extract_item_from
from crawler.extract.listings.further import further_urls
from crawler.item import Item
from crawler.model import Capture, HintValue, Kind, Link, Origin, RecordRef, Response

AT = datetime(2025, 7, 15, 6, 0, tzinfo=UTC)
URL = "http://h.example/post/7"
HTML = ((b"Content-Type", b"text/html; charset=utf-8"),)
BODY = (
    "<p>第一段讲了一件事，说得很清楚。</p><p>第二段讲了另一件事，也说得很清楚。</p>"
    "<p>第三段是结尾，总结了全文。</p>"
)


def portal(rule: Mapping[str, object] | None = None, **rest: object) -> Portal:
    """Make a portal of one item rule; ``.b`` is its body."""
    common = {"match": r"^/post/(?P<external_id>\d+)", "title": "h1", "body": ".b"}
    given = {
        "id": "p",
        "timezone": "Asia/Shanghai",
        "items": [{**common, **(rule or {})}],
    }
    listing = {"id": "l", "from": "rows", "url": "http://h.example/", "rows": "a"}
    return Portal.model_validate({**given, "listings": [listing], **rest})


def page(body: str = BODY, *, head: str = "", around: str = "") -> str:
    """Make an item page."""
    top = f"<html><head><title>题目 - 站名</title>{head}</head><body><h1>题目</h1>"
    return f"{top}{around}<div class=b>{body}</div></body></html>"


def visit(text: str | bytes, *, url: str = URL, status: int = 200) -> Capture:
    """Make the capture of a page without a hint."""
    body = text.encode() if isinstance(text, str) else text
    main = Response(url, status, HTML, body, AT)
    return Capture("page-1", Link(url, Kind.ITEM, listing="l"), main, AT)


def hinted(capture: Capture, origin: Origin = Origin.ROWS, **texts: str) -> Capture:
    """Give the capture's link a hint."""
    hint = {name: HintValue((text,), origin, AT) for name, text in texts.items()}
    return replace(capture, link=replace(capture.link, hint=hint))


def extraction(capture: Capture, rules: Portal | None = None) -> Extraction:
    """Extract by the given rules."""
    return extract_item_from(capture, rules or portal(), config_digest="sha256:0")


def item(
    text: str, rule: Mapping[str, object] | None = None, *, url: str = URL
) -> Item:
    """Extract a page by one rule."""
    return extraction(visit(text, url=url), portal(rule)).item


def reason(capture: Capture, rules: Portal | None = None) -> tuple[str, str]:
    """Return why a capture gives no item."""
    with pytest.raises(NotExtracted) as caught:
        extraction(capture, rules)
    return caught.value.reason, caught.value.detail


# --- pages that are no item ------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410, 500, 304])
def test_other_statuses_are_told(status: int) -> None:
    """A status other than 2xx is the reason, with the status as its detail."""
    assert reason(visit(page(), status=status)) == ("http_status", str(status))


def test_challenge_is_blocked_whatever_its_status() -> None:
    """A challenge page is blocked with 200 and with 403."""
    text = "<title>Just a moment...</title><script>window._cf_chl_opt={}</script><p>x"
    assert reason(visit(text))[0] == "blocked"
    assert reason(visit(text, status=403))[0] == "blocked"


def test_an_article_on_challenges_is_none() -> None:
    """A long page that speaks of challenges is an item."""
    text = page("<p>" + "他们谈到安全验证的办法。" * 100 + "</p>")
    assert item(text).title == "题目"


def test_a_short_article_with_a_captcha_form_is_an_item() -> None:
    """A page whose body the rule finds is no challenge."""
    text = page("<p>短讯。</p><form class=g-recaptcha></form>")
    assert item(text).body_text == "短讯。"


def test_shell_page() -> None:
    """A page that lacks what ready looks for is a shell."""
    assert reason(visit(page()), portal({"ready": ".later"}))[0] == "shell_page"


def test_gone_before_shell() -> None:
    """A page that says it is gone is gone, though ready is missing too."""
    rules = portal({"ready": ".later", "gone": ["已被删除"]})
    assert reason(visit("<p>原文已被删除</p>"), rules) == ("gone", "已被删除")


def test_gone_words_inside_an_article_are_text() -> None:
    """A long line that holds the words is no notice."""
    text = page("<p>" + "报道说，这条消息已被删除，但很多人已经看过。" * 6 + "</p>")
    assert item(text, {"gone": ["已被删除"]}).title == "题目"


def test_url_without_rule() -> None:
    """A URL that no rule matches has its path as the detail."""
    assert reason(visit(page(), url="http://h.example/x?y=1")) == ("no_rule", "/x?y=1")


def test_required_fields_are_all_named() -> None:
    """What is required and missing is named, with the URL."""
    with pytest.raises(LayoutChanged) as caught:
        item("<p>x</p>", {"required": ["title", "body", "editor"], "generic": False})
    assert caught.value.fields == ("title", "body", "editor")
    assert URL in caught.value.detail


@pytest.mark.parametrize("body", [b"", b"%PDF-1.4", b"\x00" * 99])
def test_what_is_no_page(body: bytes) -> None:
    """Empty and binary bodies are no page."""
    assert reason(visit(body))[0] == "not_a_page"


def test_cut_page() -> None:
    """A response that was cut gives no item."""
    capture = visit(page())
    cut = replace(capture, main=replace(capture.main, cut=True))
    assert reason(cut)[0] == "truncated"


# --- rules -----------------------------------------------------------------------


def test_until_chooses_the_version_by_day() -> None:
    """Captures before the day use the old rule, later ones the next."""
    items = [{"match": "^/a", "until": "2025-07-15", "title": "h1"}, {"match": "^/a"}]
    rules = Portal.model_validate({"id": "p", "items": items})
    url = "http://h.example/a"
    before = rule_for(rules, url, datetime(2025, 7, 14, tzinfo=UTC).date())
    after = rule_for(rules, url, datetime(2025, 7, 15, tzinfo=UTC).date())
    assert before is not None
    assert after is not None
    assert (before.rule, after.rule) == (rules.items[0], rules.items[1])


def test_redirected_page_is_read_by_the_rule_of_what_was_asked() -> None:
    """Where the answering URL has no rule, the URL asked for has."""
    capture = visit(page(), url="http://h.example/landed")
    asked = replace(capture, link=replace(capture.link, url=URL))
    assert extraction(asked).item.external_id == "7"


# --- fields ----------------------------------------------------------------------


def test_fields_by_rule_with_methods() -> None:
    """Each field is read by its rule, and provenance says by which."""
    around = (
        "<i class=e>李四</i><i class=t>2025-07-14 08:30</i><i class=s>新华网 财经</i>"
    )
    rule = {
        "editor": ".e",
        "published": ".t",
        "source": {"name": ".s", "channel": {"css": ".s", "re": r"\s(\S+)$"}},
        "subtitle": {"value": "副题"},
    }
    made = item(page(around=around), rule)
    assert made.editor == "李四"
    assert made.published_at == datetime(2025, 7, 14, 0, 30, tzinfo=UTC)
    assert (made.published_precision, made.published_source) == ("minute", "page")
    assert (made.source.name, made.source.channel) == ("新华网 财经", "财经")
    assert made.subtitle == "副题"
    assert made.provenance.fields["title"] == "css:h1"
    assert made.provenance.fields["published"] == "css:.t"


def test_absent_is_null_never_empty() -> None:
    """No text field of an item is an empty text."""
    emitted = json.loads(item(page("<p>。</p>")).model_dump_json())
    assert "" not in emitted.values()
    assert emitted["editor"] is None
    assert emitted["tags"] == []


def test_hints_fill_what_no_rule_finds() -> None:
    """Title, source, author, tags and cover come from the hint."""
    capture = hinted(
        visit(page().replace("<h1>题目</h1>", "")),
        Origin.FEED,
        title="提示的题目",
        source="某报",
        author="记者 张三",
        image="/c.png",
        tags="标签",
    )
    made = extraction(capture).item
    assert made.title == "提示的题目"
    assert made.source.name == "某报"
    assert [each.name for each in made.authors] == ["张三"]
    assert made.images[0].url == "http://h.example/c.png"
    assert made.images[0].cover
    assert made.tags == ("标签",)
    assert made.provenance.fields["title"] == "hint:feed"


def test_a_cut_off_hint_is_no_title() -> None:
    """A title that a listing cut off with dots is not taken."""
    capture = hinted(visit(page().replace("<h1>题目</h1>", "")), title="很长的题…")
    assert extraction(capture).item.title == "题目"


def test_head_fills_what_neither_finds() -> None:
    """Meta elements and JSON-LD come last."""
    ld = {
        "@graph": [
            {"@type": "Thing"},
            {
                "@type": ["NewsArticle"],
                "author": [{"name": "Jane Doe"}],
                "datePublished": "2025-07-01T10:00:00+08:00",
                "dateModified": "2025-07-02T10:00:00+08:00",
                "isAccessibleForFree": "False",
                "publisher": {"name": "The Paper"},
            },
        ]
    }
    head = (
        f'<script type="application/ld+json">{json.dumps(ld)}</script>'
        '<meta property="article:section" content="World">'
        '<meta property="article:tag" content="a">'
        '<meta property="article:tag" content="b"><link rel="amphtml" href="/amp/7">'
        '<link rel=alternate hreflang=en href="/en/7">'
    )
    made = item(page(head=head))
    assert [each.name for each in made.authors] == ["Jane Doe"]
    assert made.published_at == datetime(2025, 7, 1, 2, tzinfo=UTC)
    assert made.published_source == "meta"
    assert made.modified_at == datetime(2025, 7, 2, 2, tzinfo=UTC)
    assert made.paywalled is True
    assert made.source.name == "The Paper"
    assert (made.sections, made.tags) == (("World",), ("a", "b"))
    assert {(each.kind, each.url) for each in made.alternates} == {
        ("amp", "http://h.example/amp/7"),
        ("language", "http://h.example/en/7"),
    }


def test_broken_json_ld_is_passed_over() -> None:
    """JSON-LD that cannot be parsed costs nothing."""
    head = '<script type="application/ld+json">{"a": </script>'
    assert item(page(head=head)).title == "题目"


@pytest.mark.parametrize(
    ("origin", "text", "source", "precision"),
    [
        (Origin.FEED, "Tue, 15 Jul 2025 10:52:00 +0800", "feed", "minute"),
        (Origin.STATE, "1752548520", "state", "second"),
        (Origin.STATE, "07月15日", "relative", "hour"),  # coarser, and agrees
        (Origin.STATE, "07月13日", "state", "day"),  # another day: absolute wins
        (Origin.ROWS, "5分钟前", "relative", "hour"),  # relative too: the page's
    ],
)
def test_absolute_times_beat_relative_ones(
    origin: Origin, text: str, source: str, precision: str
) -> None:
    """A hint's absolute time beats the page's relative one unless it is coarser."""
    capture = hinted(visit(page(around="<i>3小时前</i>")), origin, published=text)
    made = extraction(capture, portal({"published": "i"})).item
    assert (made.published_source, made.published_precision) == (source, precision)


def test_relative_times_count_from_the_first_capture() -> None:
    """An unchanged page does not move in time when it is captured again."""
    capture = visit(page(around="<i>3小时前</i>"))
    later = replace(capture, main=replace(capture.main, captured_at=AT + timedelta(9)))
    rules = portal({"published": "i"})
    first, again = extraction(capture, rules).item, extraction(later, rules).item
    assert first.published_at == again.published_at == AT - timedelta(hours=3)
    assert "relative_time_only" in first.flags


def test_day_in_the_url_is_the_last_resort() -> None:
    """Only where nothing else tells, the URL's day does."""
    url = "http://h.example/post/7/2025/07/01/x.html"
    made = item(page(), url=url)
    assert (made.published_source, made.published_precision) == ("url", "day")
    rule = {"published": {"value": "2025-07-02 08:00"}}
    assert item(page(), rule, url=url).published_source == "page"


def test_years_in_the_body_are_no_dates() -> None:
    """A year in the text does not become the time."""
    assert item(page("<p>预计在2026年3月1日上线。</p>" + BODY)).published_at is None


def test_authors_are_names_alone() -> None:
    """Labels go, several names part, addresses and editors are no authors."""
    around = "<i>记者 张三、李四</i><i>来源：某报</i><i>a@b.example</i>"
    made = item(page(around=around), {"authors": "i"})
    assert [each.name for each in made.authors] == ["张三", "李四"]
    assert made.authors[0].raw == "记者 张三、李四"


def test_summary_that_repeats_the_lead_is_none() -> None:
    """A description that the body's own words say is no summary."""
    head = '<meta name=description content="第一段讲了一件事，说得很清楚。">'
    assert item(page(head=head)).summary is None
    other = item(page(head='<meta name=description content="另一个说法。">')).summary
    assert other is not None
    assert (other.text, other.origin) == ("另一个说法。", "portal")


def test_key_points_part_from_their_emoji() -> None:
    """The emoji that leads a point stands apart; a point without one is kept."""
    around = "<ul class=k><li>🛡️ 甲</li><li>乙</li></ul>"
    points = item(page(around=around), {"key_points": ".k li"}).key_points
    assert [(each.emoji, each.text) for each in points] == [("🛡️", "甲"), (None, "乙")]


def test_related_rows_are_absolute_and_once() -> None:
    """Related rows carry their title, tracking parameters cut, each URL once."""
    around = "<ul><li><a href='/post/8?src=4'>八</a><li><a href='/post/8'>8</a></ul>"
    rules = portal({"related": {"rows": "ul a"}}, strip_params=["src"])
    related = extraction(visit(page(around=around)), rules).item.related
    assert [(each.title, each.url) for each in related] == [
        ("八", "http://h.example/post/8")
    ]


def test_tickers_of_markup_and_text_are_counted() -> None:
    """Markup names a security once, its own printed text is no second mention."""
    body = (
        "<p><a class=s data-code=09871.HK>$騰野汽車 (09871.HK)$</a>上漲，"
        "<a class=s data-code=META.US>Meta</a>下跌。</p>"
        "<p>騰野汽車（09871.HK）回應。</p>"
    )
    made = item(page(body), {"tickers": {"css": "a.s"}})
    found = {
        each.symbol: (each.name, each.market, each.mentions) for each in made.tickers
    }
    assert found == {
        "09871.HK": ("騰野汽車", "HK", 2),
        "META.US": ("Meta", "US", 1),
    }
    assert made.blocks[0].text == "騰野汽車 (09871.HK)上漲，Meta下跌。"


def test_lead_by_rule_and_by_repetition() -> None:
    """A lead is marked where the rule or the rest of the text says so."""
    lead = "公司周一宣布将投资一百亿元建设新的数据中心园区。"
    body = f"<p>{lead}</p><p>据悉，{lead}园区在南湾。</p><p>别的。</p>"
    made = item(page(body))
    assert made.lead == lead
    assert [each.role for each in made.blocks] == ["lead", None, None]
    assert item(page()).lead is None
    assert (
        item(page("<p class=l>导语。</p>" + BODY), {"lead": ".l"}).blocks[0].role
        == "lead"
    )


def test_english_paragraphs_share_letters_but_no_lead() -> None:
    """Common English words do not make a lead."""
    first = "The company said on Monday that it would open a new plant in the north."
    rest = "The minister said on Tuesday that the rules would change in the spring."
    assert not is_lead(first, rest)
    assert is_lead(first, f"In detail: {first} More follows.")


def test_what_is_cut_out_is_told() -> None:
    """Furniture is out of the body, each line with its reason."""
    body = (
        "index_new5.html<br><p>正文第一段，说了一件事。</p><p>广告位</p>"
        "<p>相关阅读</p><p>责任编辑：王五</p><div class=x>删去</div>"
    )
    made = extraction(
        visit(page(body)), portal({"remove": [".x"], "drop_lines": ["^广告位$"]})
    )
    assert made.item.body_text == "正文第一段，说了一件事。"
    assert made.item.editor == "王五"
    assert [each.reason for each in made.excluded] == [
        "template_leak",
        "drop_line",
        "section_label",
        "editor_line",
    ]


def test_blocks_of_all_types() -> None:
    """Headings, quotes, lists, tables, images and code are blocks of their type."""
    body = (
        "<p>一段话，说了一件事。</p><p><strong>小标题</strong></p><p>「整行引语。」</p>"
        "<ul><li>甲<li>乙</ul><table><tr><td>1<td>2</table><pre>x = 1</pre>"
        "<figure><img src=/i.png alt=题目></figure>"
    )
    made = item(page(body))
    assert [each.type for each in made.blocks] == [
        *("paragraph", "heading", "quote", "list", "table", "code", "image"),
    ]
    assert made.images[0].position == 6
    assert made.images[0].caption is None  # the alt text is only the title


def test_json_page_is_read_by_paths() -> None:
    """An item from an API is read with JMESPath, HTML in its texts as HTML."""
    answer = {
        "d": {"t": "题目", "c": "<p>一。</p><p>二。</p>", "ts": 1752541020, "k": ["a"]}
    }
    rule = {"title": "d.t", "body": "d.c", "published": "d.ts", "tags": "d.k"}
    made = item(json.dumps(answer), rule)
    assert made.body_text == "一。\n\n二。"
    assert made.published_at == datetime(2025, 7, 15, 0, 57, tzinfo=UTC)
    assert made.tags == ("a",)


def test_plain_text_of_json_becomes_paragraphs() -> None:
    """Lines of a text without markup are paragraphs, its signs untouched."""
    made = item(
        json.dumps({"t": "题", "c": "a < b & c\n二"}), {"title": "t", "body": "c"}
    )
    assert made.body_text == "a < b & c\n\n二"


def test_file_items_are_not_parsed() -> None:
    """A file's item holds its address, type and the hint's title."""
    capture = hinted(visit(b"%PDF-1.7 \x00\x01"), title="年报")
    made = extraction(capture, portal({"kind": "file"})).item
    assert (made.kind, made.title) == ("file", "年报")
    assert made.files[0].url == URL
    assert made.files[0].media_type == "text/html"


def test_rendered_document_is_read_instead_of_the_response() -> None:
    """Where there is a rendered document, the last one counts."""
    capture = replace(visit("<p>shell"), dom=(b"<p>one", page().encode()))
    made = extraction(capture, portal({"ready": ".b"})).item
    assert made.title == "题目"
    assert made.provenance.encoding_method == "dom"


# --- identity --------------------------------------------------------------------


def test_canonical_of_another_item_is_refused() -> None:
    """A page cannot take another item's identity by its canonical link."""
    head = '<link rel=canonical href="http://h.example/post/8">'
    made = item(page(head=head))
    assert made.canonical_url == URL
    assert "canonical_refused" in made.flags
    assert made.id == item(page()).id


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("http://h.example/post/7/slug", "http://h.example/post/7/slug"),
        ("http://other.example/post/7", URL),  # off scope
        ("http://h.example/", URL),  # no item page
        ("javascript:x", URL),
    ],
)
def test_canonical_counts_in_scope_and_on_item_pages(href: str, expected: str) -> None:
    """A canonical URL counts only on the portal's hosts and where a rule matches."""
    made = item(page(head=f'<link rel=canonical href="{href}">'))
    assert made.canonical_url == expected
    assert "canonical_refused" not in made.flags


def test_id_is_by_scheme() -> None:
    """The id is the number's where the URL has one, else the canonical URL's."""
    assert item(page()).id == item_id("p", "external_id", "7")
    plain = portal({"match": "^/post/"})
    assert extraction(visit(page()), plain).item.id == item_id(
        "p", "canonical_url", URL
    )
    fixed = portal(id_scheme="url")
    assert extraction(visit(page()), fixed).item.id == item_id("p", "url", URL)


def test_item_hash_tells_content_from_circumstance() -> None:
    """Another listing or run makes no revision, another title does."""
    capture = visit(page())
    elsewhere = replace(
        capture, link=replace(capture.link, listing="other"), run_id="run-2"
    )
    one, two = extraction(capture).item, extraction(elsewhere).item
    assert one.listing != two.listing
    assert one.item_hash == two.item_hash == item_hash(one)
    assert item(page().replace("<h1>题目", "<h1>新题")).item_hash != one.item_hash


def test_content_hash_folds_width() -> None:
    """Full-width digits make no other content."""
    assert content_hash("第１", "ａ") == content_hash("第1", "a")
    assert content_hash(None, None) is None


def test_provenance_points_at_every_record() -> None:
    """The main record comes first, then the chain's, then further pages'."""
    refs = [
        RecordRef(f"urn:uuid:{at}", "w.warc.gz", at, 10, URL, AT) for at in range(4)
    ]
    capture = visit(page())
    main = replace(capture.main, ref=refs[1])
    more = replace(capture.main, url=f"{URL}?p=2", ref=refs[2])
    whole = replace(
        capture,
        main=main,
        hops=(refs[0], refs[1]),
        further=(more,),
        dom_refs=(refs[3],),
        run_id="run-1",
    )
    made = extraction(whole).item.provenance
    assert [each.offset for each in made.records] == [1, 0, 2]
    assert [each.offset for each in made.dom_records] == [3]
    assert (made.run_id, made.config_digest) == ("run-1", "sha256:0")
    assert made.extracted_at is None


# --- further pages ---------------------------------------------------------------


def further(links: str, *got: str, url: str = URL) -> tuple[str, ...]:
    """Return the further URLs of a page with these links, having got some."""
    capture = visit(page(around=f"<div class=pg>{links}</div>"), url=url)
    more = tuple(replace(capture.main, url=each) for each in got)
    return further_urls(replace(capture, further=more), portal({"pages": ".pg a"}))


def test_page_lists_and_chains_end() -> None:
    """Pages that the capture has are not asked for again, nor is the page itself."""
    links = "<a href=/post/7>1</a><a href='?p=2'>2</a><a href='?p=3'>3</a>"
    links += "<a href='?p=2'>next</a>"
    assert further(links) == (f"{URL}?p=2", f"{URL}?p=3")
    assert further(links, f"{URL}?p=2") == (f"{URL}?p=3",)
    assert further(links, f"{URL}?p=2", f"{URL}?p=3") == ()


def test_pages_of_other_hosts_and_items_are_not_asked_for() -> None:
    """Links to another host or another item are no pages of this one."""
    links = "<a href=http://x.example/post/7_2>2</a><a href=/post/8>next</a><a>x</a>"
    assert further(links) == ()


def test_at_most_fifty_further_pages() -> None:
    """A pager without an end is cut."""
    assert (
        len(further("".join(f"<a href='?p={at}'>{at}</a>" for at in range(99)))) == 50
    )


def test_no_pages_of_what_is_no_page() -> None:
    """A page that is none has no further pages."""
    assert further_urls(visit(b""), portal({"pages": "a"})) == ()
    assert further_urls(visit("x", url="http://h.example/q"), portal()) == ()


def test_unreadable_further_page_is_flagged() -> None:
    """An article whose second page cannot be read says so."""
    capture = visit(page())
    broken = replace(capture.main, url=f"{URL}?p=2", status=500)
    made = extraction(replace(capture, further=(broken,))).item
    assert "further_page_missing" in made.flags


# --- bad input -------------------------------------------------------------------


def test_generic_item_without_a_portal() -> None:
    """Title, body and time are found without any rule."""
    text = (
        "<title>大桥周三通车 - 某网</title><nav><a href=/>首页</a></nav>"
        "<h1>大桥周三通车</h1>"
        f"<div>2025-07-14 09:30 来源：某网</div><div class=article>{BODY}</div>"
        "<div class=footer><a href=/x>关于我们</a> 版权所有</div>"
    )
    made = extract_item(text.encode(), url=URL, captured_at=AT)
    assert made.title == "大桥周三通车"
    assert made.published_at == datetime.fromisoformat("2025-07-14T09:30+08:00")
    assert made.body_text is not None
    assert made.body_text.startswith("第一段")
    assert made.body_text.endswith("总结了全文。")


def test_five_megabytes_in_two_seconds() -> None:
    """A large page gives its item within two seconds."""
    line = "一二三四五六七八九十，" * 8
    text = page(f"<p>{line}<b>粗体</b>文字。</p>" * 18_000)
    assert len(text.encode()) > 5_000_000
    begun = time.process_time()
    assert len(item(text).blocks) == 18_000
    assert time.process_time() - begun < 2


def test_ten_thousand_nested_elements() -> None:
    """Deep nesting is an item or a reason, and no recursion error."""
    deep = "<div>" * 10_000 + "深处" + "</div>" * 10_000
    assert item(page(BODY + deep)).title == "题目"
    extract_item(deep.encode(), url=URL, captured_at=AT)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_an_item_or_a_reason(body: bytes) -> None:
    """No bytes make extraction raise anything but NotExtracted."""
    try:
        made = extract_item(body, url=URL, captured_at=AT)
    except NotExtracted:
        return
    json.loads(made.model_dump_json())


MARKUP = (
    *("<p>", "</div>", "<table><tr><td>", "<ul><li>", "<img src=a>", "<pre>"),
    *("<a href=x>", "<blockquote>", "中文。", "<figure>", "\x00", "<h1>", "🚀 x"),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(MARKUP), max_size=40))
def test_any_markup_gives_the_same_item_twice(parts: list[str]) -> None:
    """Extraction of any markup is pure."""
    capture = visit("x" + "".join(parts))
    rules = portal({"required": [], "body": "body"})
    assert extraction(capture, rules) == extraction(capture, rules)


def test_schema_is_the_published_one(pytestconfig: pytest.Config) -> None:
    """docs/schema/item.json is what the envelope's model says."""
    path = Path(pytestconfig.rootpath) / "docs" / "schema" / "item.json"
    published = json.loads(path.read_text(encoding="utf-8"))
    assert published == Item.model_json_schema()


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("来源：城市周报", "城市周报"),
        ("（來源／中央社）", "中央社"),
        ("稿源: 新华社", "新华社"),
        ("Source: Reuters", "Reuters"),
        ("来源之声", "来源之声"),
        ("来源：", "来源："),
    ],
)
def test_the_label_in_a_source_element_is_no_part_of_its_name(
    printed: str, name: str
) -> None:
    """Most portals print the label inside the element that a rule selects."""
    around = f"<p class=f>{printed}</p>"
    found = item(page(around=around), {"source": ".f"})
    assert found.source.name == name


@pytest.mark.parametrize(
    ("printed", "name"),
    [("责任编辑：吴晓", "吴晓"), ("（責編 王小明）", "王小明"), ("吴晓", "吴晓")],
)
def test_the_label_in_an_editor_element_is_no_part_of_the_name(
    printed: str, name: str
) -> None:
    """What a rule for the editor selects may hold the label as well."""
    around = f"<p class=e>{printed}</p>"
    found = item(page(around=around), {"editor": ".e"})
    assert found.editor == name


def test_sections_are_had_from_json_ld() -> None:
    """Where neither a rule nor a meta element names a section, JSON-LD does."""
    article = {"@type": "NewsArticle", "articleSection": ["Transit", "City"]}
    head = f"<script type='application/ld+json'>{json.dumps(article)}</script>"
    found = item(page(head=head))
    assert found.sections == ("Transit", "City")
