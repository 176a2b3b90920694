"""`portals learn`: of stored pages to a file, and what the file changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import DAY_2, Program, pages, serving

REPEAT = "本栏目由港务通讯社每日清晨整理，欢迎来信。"
TOPICS = ("渡轮", "灯塔", "码头", "船坞", "潮汐")


def site() -> dict[str, str]:
    """Return a portal whose five articles end with the same line."""
    content = pages(more=1)
    for number, topic in enumerate(TOPICS, 1):
        text = "".join(f"<p>{topic}在{at}号泊位有了新鲜事。</p>" for at in range(5))
        content[f"/news/{number}"] = (
            f"<html><head><title>{topic}</title></head><body><h1>{topic}快讯</h1>"
            f"<p class=date>2025-07-14 09:30</p><div class=article>{text}"
            f"<p>{REPEAT}</p></div></body>"
        )
    return content


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Give a collection of five articles, learned of, crawled again with the file."""
    program = Program(tmp_path_factory.mktemp("learn"))
    with serving(site()) as base:
        program.configure(base)
        assert program("crawl").code == 0
    return program


def test_learned_file_changes_what_extract_makes(crawled: Program) -> None:
    """Learn, name the file, see in --diff what it changes; replay with it is exact."""
    learned = crawled("portals", "learn", "harbour")
    assert learned.code == 0, learned.err
    assert REPEAT in learned.out
    assert "5 articles" in learned.err
    assert "learned: learned/harbour.json" in learned.err
    path = crawled.directory / "learned/harbour.json"
    first = path.read_bytes()
    before = crawled.config.read_text("utf-8")
    named = before.replace("listings:", "learned: learned/harbour.json\n    listings:")
    crawled.config.write_text(named, "utf-8")
    try:
        diff = crawled("extract", "harbour", "--diff")
        rows = [json.loads(line) for line in diff.out.splitlines()]
        bodies = [row for row in rows if row["field"] == "body_text"]
        assert len(bodies) == len(TOPICS)
        assert all(REPEAT in row["stored"] for row in bodies)
        assert not any(REPEAT in row["made"] for row in bodies)
        again = crawled("portals", "learn", "harbour")
        assert again.code == 0, again.err
        assert "0 repeats more and 0 less" in again.err
        assert path.read_bytes() == first  # what is learned does not build on itself
    finally:
        crawled.config.write_text(before, "utf-8")


def test_dry_run_writes_nothing(crawled: Program) -> None:
    """It shows what a file would hold."""
    out = crawled.directory / "other.json"
    done = crawled("--json", "portals", "learn", "harbour", "--dry-run", "-o", str(out))
    assert done.code == 0, done.err
    assert [line["text"] for line in json.loads(done.out)["lines"]] == [REPEAT]
    assert not out.exists()


def test_another_file_is_not_overwritten(crawled: Program, tmp_path: Path) -> None:
    """A file that is no learned file of this portal stays as it is."""
    path = tmp_path / "notes.json"
    path.write_text('{"version": 1}', "utf-8")
    done = crawled("portals", "learn", "harbour", "-o", str(path))
    assert done.code == 2
    assert "notes.json' is in the way" in done.err
    assert path.read_text("utf-8") == '{"version": 1}'


def test_replay_of_a_run_with_a_learned_file_is_exact(program: Program) -> None:
    """Live and replayed items agree; the file alone makes no revision of an item."""
    with serving(site()) as base:
        program.configure(base)
        assert program("crawl").code == 0
        assert program("portals", "learn", "harbour").code == 0
        text = program.config.read_text("utf-8")
        named = text.replace(
            "timezone:", "learned: learned/harbour.json\n    timezone:"
        )
        program.config.write_text(named, "utf-8")
        second = program("crawl", clock=DAY_2)
        assert second.code == 0, second.err
    replayed = program("replay", "harbour", "--run", "last", clock=DAY_2)
    assert replayed.code == 0, replayed.err
    assert "0 differences" in replayed.err
    assert "0 new, 0 revised" in second.err
    items = program("extract", "harbour").out
    assert "泊位" in items
    assert REPEAT not in items
