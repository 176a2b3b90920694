from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

from crawler.cli.main import CONFIG_VERBS, PORTAL_VERBS, SCHEDULE_VERBS, VERBS
from tests.docs.conftest import Reader
from tests.docs.page import ROOT, fences, misfit, shown, steady

PAGES = ("README.md", "docs/replay.md")
"""Pages whose consoles are run from top to bottom."""
EVERY_PAGE = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
)
KINDS = ("", "console", "sh", "json item", "yaml first.yaml")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

# Any: JSON.


@pytest.mark.parametrize("page", PAGES)
def test_commands_do_what_is_shown(reader: Reader, page: str) -> None:
    """Each command of a page succeeds, and its output is what the page shows of it."""
    for fence in fences(page):
        kind, _, name = fence.info.partition(" ")
        if kind == "yaml":
            (reader.directory / name).write_text(fence.text, "utf-8")
    commands = list(shown(page))
    assert commands
    for one in commands:
        output = reader.run(one.command)
        wrong = misfit(one.lines, output)
        assert wrong is None, f"$ {one.command}\n{output}\nnot as shown: {wrong}"


@pytest.mark.parametrize("page", PAGES)
def test_fences_are_of_a_kind_that_is_tested(page: str) -> None:
    """No example stands outside the tests for want of a word on its fence."""
    assert {fence.info for fence in fences(page)} <= set(KINDS)


def test_item_shown_is_the_demos(reader: Reader) -> None:
    """The item of the README is a part of one that its command writes."""
    (text,) = [x.text for x in fences("README.md") if x.info == "json item"]
    part = json.loads(text)
    command = "portalkeep items tidewire --kind article"
    assert f"`{command}`" in (ROOT / "README.md").read_text("utf-8")
    rows = [json.loads(line) for line in reader.run(command).splitlines()]
    (item,) = [row for row in rows if row["id"] == part["id"]]
    assert not unlike(part, item)


def unlike(part: Any, whole: Any, place: str = "") -> list[str]:  # noqa: ANN401
    """Return where part says something else than whole; `…` ends a text that is cut."""
    if place.endswith((".offset", ".length")):
        return [] if isinstance(whole, int) else [place]
    if isinstance(part, dict):
        return [
            wrong
            for name, value in part.items()
            for wrong in (
                unlike(value, whole[name], f"{place}.{name}")
                if name in whole
                else [f"{place}.{name}"]
            )
        ]
    if isinstance(part, list):
        if len(part) > len(whole):
            return [place]
        pairs = zip(part, whole, strict=False)
        return [wrong for one, other in pairs for wrong in unlike(one, other, place)]
    if isinstance(part, str) and part.endswith("…"):
        return [] if whole.startswith(part[:-1]) else [place]
    same = steady(part) == steady(whole) if isinstance(part, str) else part == whole
    return [] if same else [place]


def test_portal_of_the_readme_has_ten_lines() -> None:
    """The first portal is as short as the README says."""
    (text,) = [x.text for x in fences("README.md") if x.info == "yaml first.yaml"]
    assert len(text.splitlines()) == 10


def test_scripts_are_there() -> None:
    """Each script the README names can be run."""
    named = set(re.findall(r"\bscripts/\w+", (ROOT / "README.md").read_text("utf-8")))
    assert named
    for name in named:
        assert os.access(ROOT / name, os.X_OK), name


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_every_verb_is_named(page: str) -> None:
    """No verb of the command is missing from the tables."""
    text = (ROOT / page).read_text("utf-8")
    tables = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    for verb in VERBS:
        assert re.search(rf"`{verb.name}[ `]", tables), verb.name
    groups = {
        "config": CONFIG_VERBS,
        "portals": PORTAL_VERBS,
        "schedule": SCHEDULE_VERBS,
    }
    for group, verbs in groups.items():
        (names,) = re.findall(rf"`{group} (\w+(?:\\?\|\w+)+)`", tables)
        assert {x.strip("\\") for x in names.split("|")} == {x.name for x in verbs}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_links_lead_somewhere(page: str) -> None:
    """Each link within the project names a file that is there, and a heading of it."""
    path = ROOT / page
    for target, anchor in LINK.findall(path.read_text("utf-8")):
        file = path.parent / target if target else path
        assert file.exists(), f"{page}: {target}"
        if anchor:
            headings = HEADING.findall(file.read_text("utf-8"))
            assert anchor[1:] in {slug(x) for x in headings}, f"{page}: {anchor}"


def slug(heading: str) -> str:
    """Return the anchor that readers of Markdown give a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
