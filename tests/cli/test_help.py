from __future__ import annotations

import pytest

from crawler.cli.main import (
    CONFIG_VERBS,
    PORTAL_VERBS,
    SCHEDULE_VERBS,
    VERBS,
    Verb,
    run,
)
from tests.cli.program import Program

GROUPS = (
    ("", VERBS),
    ("config", CONFIG_VERBS),
    ("schedule", SCHEDULE_VERBS),
    ("portals", PORTAL_VERBS),
)
CASES = [
    pytest.param(group, verb, id=f"{group} {verb.name}".strip())
    for group, verbs in GROUPS
    for verb in verbs
]


@pytest.mark.parametrize(("group", "verb"), CASES)
def test_help_of_each_verb_shows_an_example(
    group: str, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each verb's help is a success, says what it does, and shows one example."""
    assert run([*filter(None, (group, verb.name)), "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Example: {verb.example}" in shown
    assert f"portalkeep {group} {verb.name}".replace("  ", " ") in shown
    assert (verb.call.__doc__ or "").split("\n")[0].split(";")[0] in shown


@pytest.mark.parametrize("verb", [v for _, verbs in GROUPS for v in verbs])
def test_example_is_a_call_of_its_verb(verb: Verb) -> None:
    """An example begins with the command and names its verb."""
    words = verb.example.split()
    assert words[0] == "portalkeep"
    assert verb.name in words


def test_help_names_every_verb(program: Program) -> None:
    """The command's own help lists the verbs, on stdout."""
    ended = program("--help")
    assert ended.code == 0
    assert ended.err == ""
    for verb in VERBS:
        assert f" {verb.name} " in ended.out
    assert "Example: portalkeep crawl harbour" in ended.out


def test_version(program: Program) -> None:
    """The version is one line on stdout."""
    ended = program("--version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("portalkeep ")
    assert ended.out.count("\n") == 1


def test_shell_completion_is_there(program: Program) -> None:
    """Typer's completion script can be had."""
    ended = program("--show-completion", "bash")
    assert ended.code == 0
    assert "portalkeep" in ended.out
