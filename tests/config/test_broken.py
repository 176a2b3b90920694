from __future__ import annotations

import re
from pathlib import Path

import pytest

from crawler.config.load import load
from crawler.config.problem import MAX_SHOWN
from crawler.errors import ConfigError

PORTAL = """\
portals:
  - id: harbour
    listings:
      - {id: news, from: rows, url: "https://h.example/", rows: li a}
    items:
      - {match: ^/a/, title: h1}
"""
LISTING = """\
portals:
  - id: harbour
    items: [{match: ^/a/, title: h1}]
    listings:
      - id: news
"""
DAYS = (
    LISTING
    + """\
        url: 'https://h.example/{day:%Y}'
        from: days
"""
)
ITEM = """\
portals:
  - id: harbour
    listings: [{id: n, from: rows, url: "https://h.example/", rows: li a}]
    items:
      - match: ^/a/
"""
SHOWING = ITEM + "        render: always\n        browser: "
FULL = """\
store: {url: ./store}
crawl: {delay: 2s, proxy: 'http://p.example:1', robots: obey}
portals:
  - id: harbour
    timezone: Asia/Shanghai
    scope: {exclude: ^/x, max_depth: 2}
    request: {headers: {Referer: x}, encoding: auto}
    listings:
      - id: news
        from: state
        url: https://h.example/
        state: {name: STATE, rows: a.b}
        fields: {url: u}
        continue: {from: json, url: 'https://h.example/{cursor}', rows: data}
        next: {cursor: c, more: m}
        skip: x == 'y'
        stop: {max_pages: 3}
    items:
      - match: ^/a/(?P<external_id>.)
        until: 2025-01-01
        title: {css: h1, re: ^x}
        source: {name: .s}
        summary: {rule: .ai, origin: portal}
        tickers: {css: a, text: true}
        related: .r a
        required: title
"""
SHOWN = LISTING + "        from: rows\n        rows: li\n        render: always\n"
API = LISTING + "        from: json\n        rows: data\n        fields: {url: u}\n"
URL = "        url: https://h.example/\n"


def message(tmp_path: Path, text: str, **variables: str) -> str:
    """Load text and return what the error says, without the folder."""
    path = tmp_path / "c.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, environment=variables)
    assert caught.value.exit_code == 3
    return str(caught.value).replace(f"{tmp_path}/", "")


BROKEN = [
    # the file itself
    ("lease: 1s\n\tstore: x\n", "c.yaml:2:1:", "a tab"),
    ("lease: [1s\nstore: x\n", "c.yaml:2:6:", "quotes and brackets"),
    ("lease: 1s\nlease: 2s\n", "c.yaml:2:1:", "'lease' again, first on line 1"),
    ("crawl: *manners\n", "c.yaml:1:8:", "alias"),
    ("crawl: &x {crawl: *x}\n", "c.yaml:1:8:", "holds itself"),
    ("crawl: {<<: 1}\n", "c.yaml:1:13:", "mapping"),
    ("crawl: {<<: [{delay: 1}, 2]}\n", "c.yaml:1:26:", "mapping"),
    ("lease: " + "[" * 3000, "c.yaml:", "nested too deeply"),
    ("- a\n- b\n", "c.yaml:1:1:", "mapping"),
    ("a\n---\nb\n", "c.yaml:2:1:", "second document"),
    ("lease: !python/name:os.system x\n", "c.yaml:1:8:", "tag"),
    ("crawl: {user_agent: a: b}\n", "c.yaml:1:22:", "quotes"),
    ('store: {url: "x\\q"}\n', "c.yaml:1:17:", "backslash"),
    ("lease: 1\x01\n", "c.yaml:1:9:", "control character"),
    ("[a]: b\n", "c.yaml:1:1:", "plain name"),
    # names
    ("stor: {url: x}\n", "c.yaml:1:1:", "unknown key 'stor'; did you mean 'store'?"),
    ("crawl:\n  dely: 2s\n", "c.yaml:2:3:", "did you mean 'delay'?"),
    (PORTAL.replace("listings", "listing"), "c.yaml:3:5:", "mean 'listings'?"),
    (PORTAL.replace("title", "titel"), "c.yaml:6:23:", "mean 'title'?"),
    (PORTAL.replace("rows: li", "row: li"), "c.yaml:4:59:", "mean 'rows'?"),
    (ITEM + "        source: {nam: .x}\n", "c.yaml:6:18:", "mean 'name'?"),
    (ITEM + "        title: {cs: h1}\n", "c.yaml:6:17:", "mean 'css'?"),
    (ITEM + "        tickers: {cs: a}\n", "c.yaml:6:19:", "mean 'css'?"),
    # types and values
    ("lease: soon\n", "c.yaml:1:8:", "'lease': 'soon' is no duration"),
    ("warc: {max_size: 1 XB}\n", "c.yaml:1:18:", "no size"),
    ("max_deliveries: 0\n", "c.yaml:1:17:", "at least 1"),
    ("max_deliveries: many\n", "c.yaml:1:17:", "whole number"),
    ("crawl: {robots: obay}\n", "c.yaml:1:17:", "did you mean 'obey'?"),
    ("crawl: {allow_private: perhaps}\n", "c.yaml:1:24:", "true or false"),
    ("crawl: 2s\n", "c.yaml:1:8:", "wants a mapping"),
    ("version: 2\n", "c.yaml:1:10:", "none of 1"),
    ("portals: harbour\n", "c.yaml:1:10:", "wants a list"),
    ("portals: [harbour]\n", "c.yaml:1:11:", "mapping with an 'id'"),
    (PORTAL.replace("harbour", "163"), "c.yaml:2:9:", "put it in quotes: '163'"),
    (PORTAL.replace("harbour", "Harbour!"), "c.yaml:2:9:", "lower-case"),
    (PORTAL.replace("id: harbour", "name: x"), "c.yaml:2:5:", "'id': is missing"),
    ("lease: true\n", "c.yaml:1:8:", "no number"),
    ("lease: .inf\n", "c.yaml:1:8:", "with an end"),
    # places and secrets
    ("store: {url: ftp://x}\n", "c.yaml:1:14:", "no store"),
    ("store: {url: s3://}\n", "c.yaml:1:14:", "names nothing"),
    ("store: {url: s3://b}\n", "c.yaml:1:14:", "no bucket and prefix"),
    ("store: {url: s3://bucket//x}\n", "c.yaml:1:14:", "no bucket and prefix"),
    ("store: {url: s3://bucket/../x}\n", "c.yaml:1:14:", "no bucket and prefix"),
    ("store: {endpoint_url: host:8333}\n", "c.yaml:1:23:", "no service"),
    ("store: {endpoint_url: 'http://a:b@h'}\n", "c.yaml:1:23:", "no service"),
    ("store: {part_size: 1MB}\n", "c.yaml:1:20:", "5242880"),
    ("store: {kms_key: k}\n", "c.yaml:1:18:", "'sse: aws:kms'"),
    ("store: {secret: k}\n", "c.yaml:1:9:", "unknown key 'secret'"),
    ("crawl: {proxy: proxy.example}\n", "c.yaml:1:16:", "http://host:port"),
    ("crawl: {proxy: 'http://a:b@p.example:1'}\n", "c.yaml:1:16:", "password"),
    ("store: {url: '${NOWHERE}'}\n", "c.yaml:1:14:", "'NOWHERE' is not set"),
    ("store: {url: '${}'}\n", "c.yaml:1:14:", "begins no variable"),
    # portals
    ("portals: [{id: harbour}]\n", "c.yaml:1:11:", "no listings"),
    (ITEM.replace("    items:\n      - match: ^/a/\n", ""), "c.yaml:2:5:", "no items"),
    (PORTAL + PORTAL[9:], "c.yaml:7:9:", "is taken, see c.yaml:2:9"),
    (PORTAL + "    timezone: Asia/Shangai\n", "c.yaml:7:15:", "'Asia/Shanghai'?"),
    (PORTAL + "    drop_lines: [a, '(']\n", "c.yaml:7:21:", "regular expression"),
    (PORTAL + "    scope: {exclude: '['}\n", "c.yaml:7:22:", "regular expression"),
    (PORTAL + "    request: {encoding: gb1830}\n", "c.yaml:7:25:", "'gb18030'?"),
    (
        PORTAL + "    allow_private: true\n    crawl: {allow_private: false}\n",
        "c.yaml:7:20:",
        "keep one",
    ),
    # listings
    (LISTING + "        from: row\n" + URL, "c.yaml:6:15:", "mean 'rows'?"),
    (LISTING + "        from: rows\n" + URL, "c.yaml:5:9:", "needs 'rows'"),
    (LISTING + "        from: state\n" + URL, "c.yaml:5:9:", "'state: {name"),
    (
        LISTING + "        from: state\n        state: {name: X}\n" + URL,
        "c.yaml:7:16:",
        "needs 'rows'",
    ),
    (LISTING + "        from: feed\n        url: news\n", "c.yaml:7:14:", "in full"),
    (API.replace("u}", "u, titel: t}") + URL, "c.yaml:8:26:", "mean 'title'?"),
    (API.replace("url: u", "body: b") + URL, "c.yaml:8:18:", "unknown field 'body'"),
    (API.replace("url: u", "title: t") + URL, "c.yaml:5:9:", "needs 'fields"),
    (API.replace("rows: data", "rows: 'data['") + URL, "c.yaml:7:15:", "JMESPath"),
    (API.replace("url: u", "url: css:a") + URL, "c.yaml:8:23:", "reads HTML"),
    (API + URL + "        ok: 'code ='\n", "c.yaml:10:13:", "JMESPath"),
    (API + URL + "        skip: ['type ==']\n", "c.yaml:10:16:", "JMESPath"),
    (API + URL + "        body: x\n", "c.yaml:10:15:", "method: POST"),
    (API + URL + "        continue: {body: x}\n", "c.yaml:10:26:", "method: POST"),
    (API + URL + "        next: {page: 2}\n", "c.yaml:10:22:", "needs '{page}'"),
    (API + URL + "        next: {cursor: c}\n", "c.yaml:10:24:", "needs '{cursor}'"),
    (API + URL + "        next: {more: c}\n", "c.yaml:10:15:", "exactly one of"),
    (API + URL + "        next: {url: 'a['}\n", "c.yaml:10:21:", "selector"),
    (API + URL + "        continue: {from: rows}\n", "c.yaml:10:19:", "of its own"),
    (API + URL + "        encoding: utf9\n", "c.yaml:10:19:", "mean 'utf-8'?"),
    (
        API + URL + "        continue: {fields: {ur: u}}\n",
        "c.yaml:10:29:",
        "mean 'url'?",
    ),
    (
        PORTAL.replace(
            "    items",
            '      - {id: news, from: feed, url: "https://h.example/f"}\n    items',
        ),
        "c.yaml:5:14:",
        "used twice",
    ),
    # pages that a browser shows
    (SHOWN + URL + "        next: {click: 'a['}\n", "c.yaml:10:23:", "selector"),
    (SHOWN + URL + "        next: {click: 're:more'}\n", "c.yaml:10:23:", "css or xp"),
    (SHOWN + URL + "        next: {click: a, url: b}\n", "c.yaml:10:15:", "exactly"),
    (
        SHOWN + URL + "        next: {click: {selector: a, max: 0}}\n",
        "c.yaml:10:42:",
        "at least 1",
    ),
    (
        SHOWN + URL + "        next: {click: {selector: a, mx: 3}}\n",
        "c.yaml:10:37:",
        "mean 'max'?",
    ),
    (SHOWN + URL + "        next: {click: {max: 3}}\n", "c.yaml:10:23:", "missing"),
    (SHOWN + URL + "        next: {scroll: 501}\n", "c.yaml:10:24:", "at most 500"),
    (SHOWN + URL + "        next: {scroll: false}\n", "c.yaml:10:24:", "mapping"),
    (SHOWN + URL + "        next: scrol\n", "c.yaml:10:15:", "mapping"),
    (
        SHOWN.replace("always", "auto") + URL + "        next: scroll\n",
        "c.yaml:10:15:",
        "needs 'render: always'",
    ),
    (
        SHOWN.replace("rows\n", "state\n", 1)
        + URL
        + "        state: {name: X, rows: a}\n        next: scroll\n",
        "c.yaml:11:15:",
        "needs 'from: rows'",
    ),
    (
        SHOWN + URL + "        next: scroll\n        continue: {url: 'http://h/'}\n",
        "c.yaml:11:19:",
        "no page follows",
    ),
    (API + URL + "        render: auto\n", "c.yaml:10:17:", "from: json"),
    (SHOWN + URL + "        method: POST\n", "c.yaml:8:17:", "by GET"),
    (SHOWN + URL + "        ready: 'a['\n", "c.yaml:10:16:", "selector"),
    (SHOWN + URL + "        wait_for: 'a['\n", "c.yaml:10:19:", "selector"),
    (ITEM + "        browser: {scroll: 3}\n", "c.yaml:6:18:", "needs 'render"),
    (SHOWING + "{scrol: 3}\n", "c.yaml:7:19:", "mean 'scroll'?"),
    (SHOWING + "{click: 'a['}\n", "c.yaml:7:26:", "selector"),
    (SHOWING + "{dismiss: [a, 'a[']}\n", "c.yaml:7:32:", "selector"),
    (SHOWING + "{block: images}\n", "c.yaml:7:26:", "mean 'image'?"),
    (SHOWING + "{block_urls: ['(']}\n", "c.yaml:7:32:", "regular expression"),
    (SHOWING + "{viewport: large}\n", "c.yaml:7:29:", "390x844"),
    (SHOWING + "{viewport: 9x9}\n", "c.yaml:7:29:", "390x844"),
    (
        SHOWING + "{viewport: {width: 50, height: 800}}\n",
        "c.yaml:7:37:",
        "at least 100",
    ),
    (SHOWING + "{locale: Swiss}\n", "c.yaml:7:27:", "zh-CN"),
    (SHOWING + "{timezone: Asia/Tokio}\n", "c.yaml:7:29:", "'Asia/Tokyo'?"),
    (SHOWING + "{timeout: soon}\n", "c.yaml:7:28:", "no duration"),
    (SHOWING + "{storage_state: [a]}\n", "c.yaml:7:34:", "a text"),
    # walks
    (API + URL + "        next: {offset: 20}\n", "c.yaml:10:24:", "needs '{offset}'"),
    (API + URL + "        next: {oldest: t}\n", "c.yaml:10:24:", "needs '{oldest}'"),
    (
        API + URL + "        next: {oldest: {field: t, unit: hours}}\n",
        "c.yaml:10:",
        "unit",
    ),
    (
        API + URL + "        next: {oldest: {field: t, unit: '%Y-%m-%d %H:%m'}}\n",
        "c.yaml:10:",
        "'unit'",
    ),
    (
        API + URL + "        next: {page: 2, offset: true}\n",
        "c.yaml:10:15:",
        "exactly one",
    ),
    (API + URL + "        next: {day: true}\n", "c.yaml:9:14:", "needs the day"),
    (API + URL + "        stop: {since: 3 moons}\n", "c.yaml:10:", "30d"),
    (
        API + URL + "        layouts: [{until: 2025-01-01}]\n",
        "c.yaml:10:",
        "from: days",
    ),
    (API + URL + "        sign: nowhere\n", "c.yaml:10:15:", "package.module:function"),
    (API + URL + "        sign: no_such.module:x\n", "c.yaml:10:15:", "PYTHONPATH"),
    (API + URL + "        sign: operator:nothing\n", "c.yaml:10:15:", "no function"),
    (
        DAYS + "        layouts: [{until: 2025-13-01}]\n",
        "c.yaml:8:",
        "2025-07-15",
    ),
    (
        DAYS + "        layouts: [{until: 2025-01-01, from: json}]\n",
        "c.yaml:8:",
        "needs 'rows'",
    ),
    (DAYS + "        next: {page: 2}\n", "c.yaml:8:15:", "drop the other"),
    (DAYS + "        continue: {rows: a}\n", "c.yaml:8:19:", "layouts"),
    # items
    (ITEM + "        title: 'h1['\n", "c.yaml:6:16:", "CSS selector"),
    (ITEM + "        title: [h1, 'h2[']\n", "c.yaml:6:21:", "CSS selector"),
    (ITEM + "        title: 'xpath://h1['\n", "c.yaml:6:16:", "XPath"),
    (ITEM + "        editor: 're:('\n", "c.yaml:6:17:", "regular expression"),
    (ITEM + "        title: {css: h1, re: '('}\n", "c.yaml:6:16:", "regular exp"),
    (ITEM + "        title: {css: h1, xpath: //a}\n", "c.yaml:6:16:", "exclude"),
    (
        ITEM + "        published: {css: i, format: '%Y-%m-%d %H:%m'}\n",
        "c.yaml:6:20:",
        "no form of a time",
    ),
    (ITEM + "        source: {name: 'a['}\n", "c.yaml:6:24:", "CSS selector"),
    (ITEM + "        remove: ['a[']\n", "c.yaml:6:18:", "CSS selector"),
    (ITEM + "        related: {rows: 'a['}\n", "c.yaml:6:25:", "CSS selector"),
    (ITEM + "        drop_lines: ['(']\n", "c.yaml:6:22:", "regular expression"),
    (ITEM + "        required: [title, boddy]\n", "c.yaml:6:27:", "mean 'body'?"),
    (ITEM + "        until: 2025-13-01\n", "c.yaml:6:16:", "2025-07-15"),
    (ITEM + "        render: sometimes\n", "c.yaml:6:17:", "always"),
    (ITEM.replace("^/a/", "'('"), "c.yaml:5:16:", "regular expression"),
    (
        ITEM.replace("^/a/", "'(?P<extrnal_id>.)'"),
        "c.yaml:5:16:",
        "mean 'external_id'?",
    ),
]


@pytest.mark.parametrize(("text", "place", "says"), BROKEN)
def test_problem_is_told_at_its_place(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    """Whatever is wrong is told once, with file, line, column and the nearest name."""
    said = message(tmp_path, text).splitlines()
    assert [line for line in said if line.startswith(place) and says in line], said


def test_one_mistake_gives_one_line(tmp_path: Path) -> None:
    """A wrong manner at the top is not told again for each portal."""
    said = message(tmp_path, "crawl: {dely: 1s}\n" + PORTAL)
    assert len(said.splitlines()) == 1


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    """The user mends a file in one go: every problem, in the order of the lines."""
    text = PORTAL.replace("title: h1", "title: 'h1['") + "stor: 1\nlease: soon\n"
    said = message(tmp_path, text).splitlines()
    assert [line.split(":")[1] for line in said] == ["6", "7", "8"]


def test_many_problems_are_counted(tmp_path: Path) -> None:
    """No more problems are shown than a screen holds; the rest is counted."""
    text = "".join(f"wrong_{n}: 1\n" for n in range(MAX_SHOWN + 5))
    said = message(tmp_path, text).splitlines()
    assert len(said) == MAX_SHOWN + 1
    assert said[-1] == "… and 5 more"


def test_no_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    """A file in another encoding is refused at the first byte that is wrong."""
    path = tmp_path / "c.yaml"
    path.write_bytes(b"lease: 1s\nstore: {url: \xb1\xe0}\n")
    with pytest.raises(ConfigError, match=r"c\.yaml:2:14: no UTF-8"):
        load(path, environment={})


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is named with the reason."""
    with pytest.raises(ConfigError, match=r"cannot read .*No such file"):
        load(tmp_path / "c.yaml", environment={})


def test_aliases_without_end_are_refused(tmp_path: Path) -> None:
    """Aliases of aliases of aliases do not fill the memory."""
    lines = (f"b{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9))
    text = f"a: &a0 [{', '.join('x' * 10)}]\n{''.join(lines)}"
    assert "aliases without end" in message(tmp_path, text)


def test_secret_is_not_in_the_message(tmp_path: Path) -> None:
    """A problem with a value that a variable brought does not show the value."""
    said = message(tmp_path, "crawl: {proxy: '${PROXY}'}\n", PROXY="hunter22:geheim")
    assert "c.yaml:1:16" in said
    assert "geheim" not in said
    assert "hunter22" not in said


def test_near_variable_is_named(tmp_path: Path) -> None:
    """A variable that is not set is told with the nearest one that is."""
    said = message(tmp_path, "store: {url: '${STORE_ULR}'}\n", STORE_URL="x")
    assert "did you mean 'STORE_URL'?" in said


HOSTILE = ["null", "[]", "{}", "''", "-1", "true", "[[x]]", "{a: b}", "'::attr()'"]
HOSTILE += ["'css:'", "'re:('", "'json:['", "'xpath:/'", "!!binary x", "&a *a", "1e400"]
HOSTILE += ["'http://['", "'${'", "{<<: 1}", '"\\ud800"', "'\\0'", "9" * 5000]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_breaks_the_loader(tmp_path: Path, hostile: str) -> None:
    """Whatever stands anywhere, the file loads or is refused at a place in it."""
    path = tmp_path / "c.yaml"
    for found in re.finditer(r": ([^\n,{}\[\]]+)", FULL):
        text = f"{FULL[: found.start(1)]}{hostile}{FULL[found.end(1) :]}"
        path.write_text(text, "utf-8", "surrogatepass")
        try:
            load(path, environment={})
        except ConfigError as exc:
            lines = str(exc).splitlines()
            assert all(re.match(rf"{path}:\d+:\d+: ", line) for line in lines)
