from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from crawler.config.digest import resolved
from crawler.config.load import Loaded, load
from crawler.config.portal import Expression
from crawler.errors import ConfigError

PORTAL = """\
  - id: harbour
    listings: [{id: news, from: rows, url: "https://h.example/", rows: li a}]
    items: [{match: ^/a/, title: h1}]
"""


def loaded(
    tmp_path: Path,
    text: str,
    environment: Mapping[str, str] | None = None,
    **overrides: object,
) -> Loaded:
    """Write text to a file and load it; in an option's name _ stands for a dot."""
    path = tmp_path / "archive_config.yaml"
    path.write_text(text, "utf-8")
    named = {name.replace("__", "."): value for name, value in overrides.items()}
    return load(path, environment=environment or {}, overrides=named)


def yaml_blocks(path: Path) -> list[str]:
    """Return the fenced YAML of a page."""
    return re.findall(r"```yaml\n(.*?)```", path.read_text("utf-8"), re.DOTALL)


def test_empty_file_gives_the_built_in_values(tmp_path: Path) -> None:
    """A file that says nothing is a configuration without portals."""
    settings = loaded(tmp_path, "").settings
    assert settings.portals == ()
    assert settings.crawl.delay == 1.0


def test_each_level_wins_over_the_one_before(tmp_path: Path) -> None:
    """Built-in < top level < portal < environment < option, key by key."""
    text = (
        "crawl: {timeout: 5s, retries: 5, max_redirects: 5, concurrency: 5}\n"
        f"portals:\n{PORTAL}"
        "    crawl: {retries: 6, max_redirects: 6, concurrency: 6}\n"
    )
    environment = {
        "PORTALKEEP_CRAWL__MAX_REDIRECTS": "7",
        "PORTALKEEP_CRAWL__CONCURRENCY": "7",
    }
    settings = loaded(tmp_path, text, environment, crawl__concurrency=8).settings
    crawl = settings.portals[0].crawl
    assert crawl.per_host == 2
    assert crawl.timeout == 5
    assert crawl.retries == 6
    assert crawl.max_redirects == 7
    assert crawl.concurrency == 8
    assert settings.crawl.retries == 5
    assert settings.crawl.concurrency == 8


def test_environment_sets_any_single_value(tmp_path: Path) -> None:
    """A double underscore goes one level down; units are as in the file."""
    environment = {
        "PORTALKEEP_STORE__URL": "s3://bucket/x",
        "PORTALKEEP_CRAWL__DELAY": "250ms",
        "PORTALKEEP_CRAWL__TIMEOUT": "7",
        "PORTALKEEP_CRAWL__PROXY": "null",
        "PORTALKEEP_CRAWL__ALLOW_PRIVATE": "true",
        "PORTALKEEP_WARC__MAX_SIZE": "20MB",
        "PORTALKEEP_LEASE": "1m",
        "PORTALKEEP_WARC__DEDUPE": "",
    }
    settings = loaded(
        tmp_path, "crawl: {proxy: 'http://p.example:1'}", environment
    ).settings
    assert settings.store.url == "s3://bucket/x"
    assert settings.crawl.delay == 0.25
    assert settings.crawl.timeout == 7
    assert settings.crawl.proxy is None
    assert settings.crawl.allow_private
    assert settings.warc.max_size == 20_000_000
    assert settings.lease == 60
    assert settings.warc.dedupe


def test_reserved_and_used_variables_are_no_settings(tmp_path: Path) -> None:
    """The clock's variable, the file's, and one that the file asks for are let be."""
    environment = {
        "PORTALKEEP_CLOCK": "2025-07-15T00:00:00Z",
        "PORTALKEEP_CONFIG": "x",
        "PORTALKEEP_OPERATOR": "an archive",
    }
    text = "warc: {operator: '${PORTALKEEP_OPERATOR}'}"
    assert loaded(tmp_path, text, environment).settings.warc.operator == "an archive"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("PORTALKEEP_STOR__URL", "PORTALKEEP_STORE__URL"),
        ("PORTALKEEP_CRAWL_DELAY", "PORTALKEEP_CRAWL__DELAY"),
        ("PORTALKEEP_CLOK", "PORTALKEEP_CLOCK"),
    ],
)
def test_unknown_variable_is_told(tmp_path: Path, name: str, near: str) -> None:
    """A variable of ours that sets nothing is an error with the nearest name."""
    with pytest.raises(ConfigError, match=f"{name}: sets nothing.*'{near}'"):
        loaded(tmp_path, "", {name: "x"})


def test_wrong_value_from_outside_names_its_origin(tmp_path: Path) -> None:
    """A value from the environment or an option is blamed on it, not on the file."""
    with pytest.raises(ConfigError) as caught:
        loaded(
            tmp_path,
            f"crawl: {{delay: 1s}}\nportals:\n{PORTAL}",
            {"PORTALKEEP_CRAWL__DELAY": "soon"},
            crawl__retries="often",
        )
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("environment variable PORTALKEEP_CRAWL__DELAY: ")
    assert lines[1].startswith("option crawl.retries: 'retries': wants a whole number")
    assert len(lines) == 2


def test_unknown_option_is_told(tmp_path: Path) -> None:
    """An option that sets nothing is an error with the nearest name."""
    with pytest.raises(ConfigError, match=r"option crawl\.dely.*'crawl\.delay'"):
        loaded(tmp_path, "", crawl__dely=1)


def test_nested_options_are_taken(tmp_path: Path) -> None:
    """Options may come as a mapping of mappings."""
    path = tmp_path / "c.yaml"
    path.write_text("", "utf-8")
    given = load(path, environment={}, overrides={"crawl": {"delay": 3}})
    assert given.settings.crawl.delay == 3


def test_variables_are_expanded_in_any_text(tmp_path: Path) -> None:
    """A variable, a default, an empty variable with a default, and the escape."""
    text = (
        "warc: {operator: '${A} ${B:-b} ${C:-c:}', description: '$${A}'}\n"
        "crawl: {delay: '${D}', retries: '${E}', allow_private: '${F}'}\n"
    )
    environment = {"A": "a", "C": "", "D": "2", "E": "4", "F": "true"}
    settings = loaded(tmp_path, text, environment).settings
    assert settings.warc.operator == "a b c:"
    assert settings.warc.description == "${A}"
    assert settings.crawl.delay == 2
    assert settings.crawl.retries == 4
    assert settings.crawl.allow_private


def test_included_files_are_seen_from_the_file(tmp_path: Path) -> None:
    """A file of portals is a list or has manners of its own; it lies beside ours."""
    (tmp_path / "portals").mkdir()
    listed = PORTAL.replace("harbour", "listed")
    (tmp_path / "portals/list.yaml").write_text(listed, "utf-8")
    named = "crawl: {delay: 9s, retries: 9}\nportals:\n" + PORTAL.replace(
        "harbour", "named"
    )
    (tmp_path / "portals/named.yaml").write_text(named, "utf-8")
    text = (
        "include: [portals/list.yaml, '${WHERE}/named.yaml']\n"
        "crawl: {delay: 2s, timeout: 3s}\n"
        f"portals:\n{PORTAL}"
    )
    settings = loaded(tmp_path, text, {"WHERE": "portals"}).settings
    delays = {portal.id: portal.crawl.delay for portal in settings.portals}
    assert delays == {"harbour": 2, "listed": 2, "named": 9}
    assert {portal.crawl.timeout for portal in settings.portals} == {3}


def test_shipped_demo_can_be_included(tmp_path: Path) -> None:
    """The demo portals load by name, with the variables they ask for."""
    environment = {
        "DEMO_GULANGYU": "http://127.0.0.1:1",
        "DEMO_TIDEWIRE": "http://127.0.0.1:2",
        "DEMO_YARDARM": "http://127.0.0.1:3",
    }
    settings = loaded(tmp_path, "include: shipped:demo", environment).settings
    assert len(settings.portals) == 3
    with pytest.raises(ConfigError, match="did you mean 'demo'"):
        loaded(tmp_path, "include: shipped:demos")


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        ("store: {url: x}\n", r"inner\.yaml:1:1: 'store' cannot stand"),
        ("include: x\n", r"inner\.yaml:1:1: 'include' cannot stand"),
        ("version: 2\n", r"inner\.yaml:1:10: 'version'"),
        ("text\n", r"inner\.yaml:1:1: wants a list of portals"),
        (PORTAL.replace("h1", "'h1['"), r"inner\.yaml:3:34: 'title'"),
        ("crawl: {dely: 1}\nportals:\n" + PORTAL, r"inner\.yaml:1:9: .*'delay'"),
        ("a: [\n", r"inner\.yaml:2:1: "),
        (PORTAL, r"inner\.yaml:1:9: portal id 'harbour' is taken, see .*c.*:3:9"),
    ],
)
def test_problem_of_an_included_file_is_told_there(
    tmp_path: Path, inner: str, says: str
) -> None:
    """What is wrong in an included file is told with that file's name."""
    (tmp_path / "inner.yaml").write_text(inner, "utf-8")
    with pytest.raises(ConfigError, match=says):
        loaded(tmp_path, f"include: inner.yaml\nportals:\n{PORTAL}")


def test_missing_include_is_told_where_it_is_named(tmp_path: Path) -> None:
    """A file that is not there is blamed on the line that includes it."""
    with pytest.raises(ConfigError, match=r"archive_config\.yaml:2:5: cannot read"):
        loaded(tmp_path, "include:\n  - nowhere.yaml\n")


def test_portal_rules_are_inherited(tmp_path: Path) -> None:
    """Listings and items take over the portal's parameters and lines, before theirs."""
    text = """\
portals:
  - id: harbour
    strip_params: [src]
    drop_lines: [^Ad]
    allow_private: true
    listings:
      - {id: n, from: feed, url: "https://h.example/", strip_params: [ref, src]}
    items: [{match: ^/a/, drop_lines: ^Share}]
"""
    portal = loaded(tmp_path, text).settings.portals[0]
    assert portal.listings[0].strip_params == ("src", "ref")
    assert portal.items[0].drop_lines == ("^Ad", "^Share")
    assert portal.crawl.allow_private


def test_forced_manner_beats_the_short_form(tmp_path: Path) -> None:
    """Both names of allow_private say the same after loading, whoever set it."""
    text = f"portals:\n{PORTAL}    allow_private: true\n"
    portal = loaded(tmp_path, text, crawl__allow_private=False).settings.portals[0]
    assert portal.crawl.allow_private is False
    assert portal.allow_private is False


def test_anchors_and_merges_are_understood(tmp_path: Path) -> None:
    """A merged mapping gives its keys, the ones written out win."""
    text = (
        "crawl: &slow {delay: 5s, retries: 1}\n"
        f"portals:\n{PORTAL}    crawl: {{<<: *slow, retries: 2}}\n"
    )
    crawl = loaded(tmp_path, text).settings.portals[0].crawl
    assert (crawl.delay, crawl.retries) == (5, 2)


def test_yaml_is_the_newer_one(tmp_path: Path) -> None:
    """Words such as yes and dates are text; numbers are taken in parameters."""
    text = """\
portals:
  - id: "163"
    name: yes
    request: {params: {size: 50}}
    listings: [{id: n, from: feed, url: "https://h.example/"}]
    items: [{match: ^/a/, until: 2025-01-01}]
"""
    portal = loaded(tmp_path, text).settings.portals[0]
    assert portal.name == "yes"
    assert portal.request.params == {"size": "50"}
    assert portal.items[0].until == "2025-01-01"


LOGIN = f"""{PORTAL}    login:
      url: https://a.example/login
      fields: {{user: "${{READER}}", pin: PIN}}
"""


@pytest.mark.parametrize(
    "pin", ["hunter22", "'1234'", "1234", "'$${PIN}'", "'${PIN:-1234}'"]
)
def test_a_login_in_the_file_is_an_error(tmp_path: Path, pin: str) -> None:
    """What is filled into a login comes from variables, without a default."""
    path = tmp_path / "archive_config.yaml"
    path.write_text("portals:\n" + LOGIN.replace("pin: PIN", f"pin: {pin}"), "utf-8")
    with pytest.raises(ConfigError, match="a login in the file") as failed:
        load(path, environment={"READER": "someone", "PIN": "0000"})
    assert "hunter22" not in str(failed.value)


@pytest.mark.parametrize("name", ["Authorization", "x-api-key"])
def test_a_credential_in_a_header_is_an_error(tmp_path: Path, name: str) -> None:
    """A header that is nothing but a credential comes from a variable."""
    path = tmp_path / "archive_config.yaml"
    request = f"    request: {{headers: {{{name}: Bearer hunter22}}}}\n"
    path.write_text("portals:\n" + PORTAL + request, "utf-8")
    with pytest.raises(ConfigError, match="a credential in the file") as failed:
        load(path, environment={})
    assert "hunter22" not in str(failed.value)


def test_a_login_from_variables_is_secret(tmp_path: Path) -> None:
    """Both fields are known as secrets, and not in what a run stores."""
    path = tmp_path / "archive_config.yaml"
    path.write_text("portals:\n" + LOGIN.replace("PIN", '"${PIN}"'), "utf-8")
    loaded = load(path, environment={"READER": "someone", "PIN": "8f-0000"})
    assert loaded.secrets >= {"someone", "8f-0000"}
    (portal,) = loaded.settings.portals
    stored = resolved(portal, loaded.settings)
    assert "someone" not in str(stored)
    assert "8f-0000" not in str(stored)
    assert "8f-0000" not in repr(portal)


def test_what_variables_bring_to_secret_places_is_secret(tmp_path: Path) -> None:
    """Store, proxy, cookies and credential headers; not what stands elsewhere."""
    text = f"""\
store: {{url: "${{STORE}}"}}
crawl: {{proxy: "http://${{USER}}:${{PASSWORD}}@p.example:1"}}
warc: {{operator: "${{OPERATOR}}"}}
portals:
{PORTAL}    request:
      headers: {{Authorization: "Bearer ${{TOKEN}}", Referer: "${{BASE}}/"}}
      cookies: {{sid: "${{SID}}"}}
"""
    environment = {
        "STORE": "s3://key:geheim@bucket/x",
        "USER": "someone",
        "PASSWORD": "hunter22",
        "OPERATOR": "an archive",
        "TOKEN": "t0ken-value",
        "BASE": "https://h.example",
        "SID": "c00kie-value",
    }
    given = loaded(tmp_path, text, environment)
    assert given.secrets == given.settings.secrets
    assert given.secrets == {
        *("s3://key:geheim@bucket/x", "key:geheim", "geheim"),
        *("someone", "hunter22", "t0ken-value", "c00kie-value"),
    }
    for secret in given.secrets:
        assert secret not in repr(given)
        assert secret not in repr(given.settings)


def test_password_from_outside_is_secret(tmp_path: Path) -> None:
    """The password of a proxy that the environment sets is a secret, its host not."""
    environment = {"PORTALKEEP_CRAWL__PROXY": "http://someone:hunter22@p.example:1"}
    assert loaded(tmp_path, "", environment).secrets == {"someone:hunter22", "hunter22"}


def test_models_stay_frozen_and_hash_by_id(tmp_path: Path) -> None:
    """A portal can be a key, and equal portals are the same key."""
    text = f"portals:\n{PORTAL}"
    first, second = loaded(tmp_path, text), loaded(tmp_path, text)
    assert first.settings == second.settings
    assert len({first.settings, second.settings}) == 1
    assert len({first.settings.portals[0], second.settings.portals[0]}) == 1
    with pytest.raises(ValueError, match="frozen"):
        first.settings.lease = 1  # type: ignore[misc] # that is the point


def test_two_hundred_portals_load_quickly(tmp_path: Path) -> None:
    """Two hundred portals load in a second of processor time, checks included."""
    portals = "".join(
        f"""\
  - id: p{number}
    listings:
      - id: news
        from: rows
        url: https://p{number}.example/
        rows: ul.n{number} li
        fields: {{url: "a::attr(href)", title: a, published: .t{number}}}
        next: {{url: "a.next::attr(href)"}}
    items:
      - match: ^/a{number}/
        title: h1.t{number}
        body: .b{number}
        source: {{name: .s{number}}}
        editor: "re:^Editor{number} (.+)$"
        remove: [.ad{number}]
"""
        for number in range(200)
    )
    begin_s = time.process_time()
    settings = loaded(tmp_path, f"portals:\n{portals}").settings
    assert time.process_time() - begin_s < 1.0
    assert len(settings.portals) == 200


def test_reference_portal_loads(tmp_path: Path, shared: Path) -> None:
    """The portal that the reference found sufficient loads as an included file."""
    (block,) = yaml_blocks(shared / "reference/scrapy-facts.md")
    (tmp_path / "zaker.yaml").write_text(block, "utf-8")
    given = loaded(tmp_path, "include: zaker.yaml", {"BASE": "http://127.0.0.1:9"})
    (portal,) = given.settings.portals
    assert portal.crawl.allow_private
    assert [listing.id for listing in portal.listings] == ["channel", "gbk"]
    assert portal.listings[0].url == "http://127.0.0.1:9/channel/13"
    assert portal.listings[0].next is not None
    assert portal.listings[0].next.url == (Expression(path="next_url.value"),)
    assert portal.listings[1].fields["url"] == (Expression(attr="href"),)
    assert portal.items[1].published == (
        Expression(css=".info", re="^[-0-9]+ [:0-9]+"),
    )


def test_reference_vocabulary_loads(tmp_path: Path, shared: Path) -> None:
    """The vocabulary's own example loads, every word of it."""
    (block,) = yaml_blocks(shared / "reference/seeds-systems.md")
    (portal,) = loaded(tmp_path, block).settings.portals
    (listing,), (item,) = portal.listings, portal.items
    assert listing.skip[0].when == "type == 'activity'"
    assert (listing.expect.min_rows, listing.expect.every) == (5, 21_600)
    assert item.tickers.css == "a.nnstock"
    assert item.render == "auto"
    assert item.pages == (Expression(css=".page a.next"),)
    assert portal.request.encoding == "auto"
    assert listing.next is not None
    assert listing.next.cursor == "data.seqMark"
