"""The verbs ``portals new`` and ``portals learn``: rules proposed, repeats learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output
from crawler.cli.again import selection_of
from crawler.cli.state import state_of
from crawler.cli.values import FromOption, RunOption, ToOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.learned import Learned

LEARNED = "learned"
"""The directory beside the configuration where learned files are put."""
PAGES = 200


def learn(
    ctx: typer.Context,
    portal: Annotated[str, typer.Argument(help="Id of a portal.")],
    *,
    run: RunOption = None,
    from_day: FromOption = None,
    to_day: ToOption = None,
    pages: Annotated[
        int, typer.Option("--pages", min=3, help="The newest item pages to look at.")
    ] = PAGES,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Default: learned/PORTAL.json beside the configuration.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show what repeats.")
    ] = False,
) -> None:
    """Learn of stored captures which lines repeat on every page; write them to a file.

    The file takes effect when the portal names it (`learned: FILE`).
    """
    from crawler.jobs.learn import change_of, learn_portal, write_learned

    state = state_of(ctx)
    chosen = state.portal(portal)
    path = out or state.config_path().parent / LEARNED / f"{chosen.id}.json"
    selection = selection_of(state, chosen, run, from_day, to_day)
    learned = learn_portal(state.collection(), chosen, selection, pages)
    change = change_of(path, learned)
    if not dry_run:
        write_learned(path, learned)
    if state.json:
        output.dump({"file": str(path), **learned.model_dump(mode="json")})
    else:
        output.table(("what", "pages", "text"), _rows(learned))
    output.say(
        f"{chosen.id}: {learned.articles} articles; {len(change.added)} repeats more "
        f"and {len(change.removed)} less than before; "
        f"{'nothing is written' if dry_run else f'{str(path)!r} is written'}"
    )
    if chosen.learned is None and not dry_run:
        where = state.config_path().parent
        name = path.relative_to(where) if path.is_relative_to(where) else path
        output.say(
            f"name it in the portal's rules: `learned: {name}`, then look at "
            f"`portalkeep extract {chosen.id} --diff`"
        )


def _rows(learned: Learned) -> Iterator[tuple[object, ...]]:
    yield from (("line", line.pages, line.text) for line in learned.lines)
    yield from (("image", None, url) for url in learned.images)
    yield from (("title suffix", None, text) for text in learned.title_suffixes)
