from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.program import Collected, Program, article, pages


def harmed(collected: Collected, tmp_path: Path) -> Program:
    """Return a program over a copy of the collection with a WARC cut short."""
    shutil.copytree(collected.store, tmp_path / "data" / "store")
    program = Program(tmp_path)
    program.configure(collected.base)
    warc = min((tmp_path / "data" / "store" / "archive").glob("*/*/*/*"))
    warc.write_bytes(warc.read_bytes()[:-50])
    return program


def test_items_are_json_lines(collected: Collected) -> None:
    """Items are one JSON object a line, unescaped, and nothing is on stderr."""
    ended = collected.program("items")
    assert (ended.code, ended.err) == (0, "")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["revision"] for row in rows] == [1, 1, 1, 2]
    assert "灯塔开放" in ended.out


def test_items_can_be_chosen(collected: Collected, tmp_path: Path) -> None:
    """Time, run and newest revision choose; a file takes them as well."""
    program = collected.program
    latest = program("items", "harbour", "--latest").out.splitlines()
    assert sorted(json.loads(x)["revision"] for x in latest) == [1, 1, 2]
    assert program("items", "--since", "2025-07-16").out.count("\n") == 1
    assert program("items", "--run", collected.runs[0]).out.count("\n") == 3
    out = tmp_path / "items.jsonl"
    assert program("items", "-o", str(out)).out == ""
    assert out.read_text("utf-8") == program("items").out
    none = program("items", "--kind", "flash")
    assert (none.code, none.out) == (0, "")
    assert "no item" in none.err


def test_show_lists_and_chooses_captures(collected: Collected) -> None:
    """A URL's captures are listed by time, and one is chosen by it."""
    url = f"{collected.base}/news/3"
    rows = json.loads(collected.program("--json", "show", url, "--list").out)
    assert [row["run_id"] for row in rows] == list(collected.runs)
    listed = collected.program("show", url, "--list")
    assert rows[0]["record_id"].removeprefix("urn:uuid:") in listed.out
    first = json.loads(collected.program("--json", "show", url, "--at", "20250715").out)
    assert first["record_id"] == rows[0]["record_id"]
    assert first["captures"] == 2
    newest = collected.program("show", url)
    assert rows[1]["record_id"] in newest.out
    assert "HTTP/1.1 200 OK\n" in newest.out


@pytest.mark.parametrize("path", ["/news/1", "/news/2"])
def test_show_gives_bytes(collected: Collected, path: str, tmp_path: Path) -> None:
    """Payload, headers and record are given as bytes, a revisit's payload too."""
    program, url = collected.program, collected.base + path
    payload = program("show", url, "--payload")
    assert (payload.out, payload.err) == (pages()[path], "")
    assert program("show", url, "--payload", "--raw").out == pages()[path]
    headers = program("show", url, "--headers").out
    assert headers.startswith("HTTP/1.1 200 OK")
    assert headers.endswith("\n\n")
    out = tmp_path / "record"
    program("show", url, "--record", "-o", str(out))
    assert out.read_bytes().startswith(b"WARC/1.1\r\n")


def test_show_of_a_missing_url_names_the_nearest(collected: Collected) -> None:
    """A URL that is not stored ends with 2 and the nearest that are."""
    ended = collected.program("show", f"{collected.base}/news/33")
    assert (ended.code, ended.out) == (2, "")
    assert f"{collected.base}/news/3" in ended.err


def test_verify_of_what_is_whole(collected: Collected) -> None:
    """A whole collection verifies, all of it, one run, or one file."""
    whole = collected.program("verify", "--read-data")
    assert (whole.code, whole.out) == (0, "")
    assert "ok: 2 segments, " in whole.err
    assert collected.program("verify", collected.runs[0]).code == 0
    warc = min((collected.store / "archive").glob("*/*/*/*"))
    file = collected.program("--config", "none.yaml", "verify", str(warc))
    assert file.code == 0
    assert "1 files" in file.err
    report = json.loads(collected.program("--json", "verify").out)
    assert report["findings"] == []
    assert report["checked"]["items"] == 4


def test_verify_of_what_is_damaged(collected: Collected, tmp_path: Path) -> None:
    """Damage ends with 6; each problem is a line: what, where, what to do."""
    program = harmed(collected, tmp_path)
    ended = program("verify")
    assert ended.code == 6
    lines = ended.out.splitlines()
    assert lines
    assert all(line.count(": ") >= 2 for line in lines)
    assert any("archive/harbour/2025/07/" in line for line in lines)
    assert ended.err.startswith(f"portalkeep: {len(lines)} problems")
    report = program("--json", "verify")
    assert report.code == 6
    assert all(row["damage"] for row in json.loads(report.out)["findings"])


def test_status_and_runs(collected: Collected) -> None:
    """Both tell of the same runs, to people and as JSON."""
    status = collected.program("status")
    assert (status.code, status.err) == (0, "")
    assert f"last run  {collected.runs[1]} complete" in status.out
    (portal,) = json.loads(collected.program("--json", "status").out)
    assert portal["totals"]["items"] == 4
    runs = json.loads(collected.program("--json", "runs", "harbour").out)
    assert [run["run_id"] for run in runs] == list(collected.runs)
    table = collected.program("runs").out
    assert all(run_id in table for run_id in collected.runs)


def test_replay_gives_the_items_again(collected: Collected, tmp_path: Path) -> None:
    """Replay needs no portal, writes the run's items, and reports no difference."""
    ended = collected.program("replay", "harbour", "--run", collected.runs[0])
    assert ended.code == 0, ended.err
    assert ended.out.count("\n") == 3
    assert "3 items, 0 misses, 0 differences" in ended.err
    report = json.loads(collected.program("--json", "replay", "harbour").out)
    assert (report["run_id"], report["items"]) == (collected.runs[1], 1)
    out = tmp_path / "items.jsonl"
    assert collected.program("replay", "harbour", "-o", str(out)).out == ""
    assert out.read_text("utf-8").count("\n") == 1


def test_extract_gives_the_items_again(collected: Collected) -> None:
    """Extract makes the items of all runs; nothing differs from the stored ones."""
    ended = collected.program("extract")
    assert ended.code == 0, ended.err
    assert ended.out.count("\n") == 4
    assert "harbour: " in ended.err
    one = collected.program("extract", "harbour", "--run", "last")
    assert one.out.count("\n") == 1
    diff = collected.program("extract", "--diff")
    assert (diff.code, diff.out) == (0, "")


def test_extract_diff_shows_what_other_rules_give(
    collected: Collected, tmp_path: Path
) -> None:
    """With other rules, --diff is a JSON line a field that differs."""
    config = tmp_path / "other.yaml"
    text = collected.program.config.read_text("utf-8")
    config.write_text(text.replace("title: h1", "title: title"), "utf-8")
    ended = collected.program("--config", str(config), "extract", "--diff")
    assert ended.code == 0, ended.err
    fields = {json.loads(line)["field"] for line in ended.out.splitlines()}
    assert "provenance.fields" in fields  # the title was found another way
    assert "provenance.config_digest" not in fields


def test_try_of_a_file(collected: Collected, tmp_path: Path) -> None:
    """A file gives its item without an archive, and says that it is a preview."""
    page = tmp_path / "page.html"
    page.write_text(
        article("渡轮复航", "港务局宣布，停航两周的渡轮于周一复航。"), "utf-8"
    )
    args = ("try", str(page), "--url", f"{collected.base}/news/7")
    ended = collected.program(*args, "--explain")
    assert ended.code == 0, ended.err
    item = json.loads(ended.out)
    assert (item["preview"], item["title"]) == (True, "渡轮复航")
    assert "provenance" not in item
    assert "preview: nothing is archived" in ended.err
    assert "title: css:h1" in ended.err
    report = json.loads(collected.program("--json", *args).out)
    assert report["methods"]["title"] == "css:h1"


def test_doctor(collected: Collected) -> None:
    """All is well where a crawl was."""
    ended = collected.program("doctor")
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "FAIL" not in ended.out
    rows = json.loads(collected.program("--json", "doctor").out)
    names = {x["name"] for x in rows}
    assert {"python", "scrapy", "browser", "spool", "store", "config"} <= names


def test_doctor_tells_what_is_wrong(program: Program) -> None:
    """Without a configuration the doctor looks at the rest, and ends with 3."""
    ended = program("doctor")
    assert ended.code == 3
    assert "FAIL  config" in ended.out
    assert "ok    scrapy" in ended.out
