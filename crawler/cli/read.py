"""``items`` and ``show``: what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crawler.cli import output
from crawler.cli.state import state_of
from crawler.cli.values import AtOption, OutOption, Portals, moment
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.archive.collection import Collection
    from crawler.jobs.looking.show import Stored


SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Captured then or later.")
]
KindOption = Annotated[
    Literal["article", "flash", "file"] | None,
    typer.Option("--kind", help="Only items of this kind."),
]
RunId = Annotated[
    str | None, typer.Option("--run", metavar="ID", help="Only this run's.")
]
LatestOption = Annotated[
    bool, typer.Option("--latest", help="Only the newest revision of each id.")
]
FormatOption = Annotated[
    Literal["jsonl"], typer.Option("--format", help="One JSON object a line.")
]
Url = Annotated[str, typer.Argument(help="A captured URL.")]
PortalOption = Annotated[
    str | None, typer.Option("-p", "--portal", help="Look in this one alone.")
]
ListOption = Annotated[
    bool, typer.Option("--list", help="All captures of the URL, oldest first.")
]
HeadersOption = Annotated[
    bool, typer.Option("--headers", help="Status line and headers as they came.")
]
PayloadOption = Annotated[
    bool, typer.Option("--payload", help="The body, content-coding undone.")
]
RawOption = Annotated[
    bool, typer.Option("--raw", help="With --payload: content-coding kept.")
]
RecordOption = Annotated[
    bool, typer.Option("--record", help="The whole WARC record, uncompressed.")
]
DomOption = Annotated[
    bool, typer.Option("--dom", help="What a browser showed of the page, as HTML.")
]
ScreenshotOption = Annotated[
    bool, typer.Option("--screenshot", help="A picture of the page, as PNG.")
]
RenderedOption = Annotated[
    bool,
    typer.Option("--rendered", help="Show the archived page in Chromium, offline."),
]


def items(
    ctx: typer.Context,
    portals: Portals = None,
    *,
    since: SinceOption = None,
    kind: KindOption = None,
    run: RunId = None,
    latest: LatestOption = False,
    form: FormatOption = "jsonl",  # noqa: ARG001 - the one there is yet
    out: OutOption = None,
) -> None:
    """Write the stored items, one JSON object a line, as they are stored."""
    from crawler.jobs.looking.items import Wanted, as_line, newest, stored_items

    state = state_of(ctx)
    names = state.stored_names(portals)
    wanted = Wanted(moment(since, "--since"), kind, run)
    rows = stored_items(state.collection(), names, wanted)
    with output.lines_to(out) as lines:
        for row in newest(rows) if latest else rows:
            lines.write(as_line(row))
    if not lines.count:
        output.say("no item is stored that fits; `portalkeep status` tells what is")


def show(
    ctx: typer.Context,
    url: Url,
    *,
    portal: PortalOption = None,
    listed: ListOption = False,
    at: AtOption = None,
    headers: HeadersOption = False,
    payload: PayloadOption = False,
    raw: RawOption = False,
    record: RecordOption = False,
    dom: DomOption = False,
    screenshot: ScreenshotOption = False,
    rendered: RenderedOption = False,
    out: OutOption = None,
) -> None:
    """Show a capture of a URL: the one nearest to a time, else the newest."""
    from crawler.jobs.looking import show as job

    of_page = (dom, screenshot, rendered)
    if sum((listed, headers, payload, record, *of_page)) > 1:
        raise UsageError(
            "give one of --list, --headers, --payload, --record, --dom, "
            "--screenshot and --rendered"
        )
    state = state_of(ctx)
    collection = state.collection()
    names = state.stored_names([portal] if portal else None)
    if any(of_page):
        from crawler.cli import shown as pages
        from crawler.jobs.looking.shown import shown_page

        found = shown_page(collection, names, url, moment(at, "--at"))
        how = pages.document if dom else pages.picture if screenshot else pages.again
        how(state, found, out)
        return
    captures = job.captures_of(collection, names, url)
    stored = job.nearest_at(captures, moment(at, "--at"))
    if listed:
        _list(captures, as_json=state.json)
    elif headers:
        output.bytes_to(out, job.head_bytes(collection, stored))
    elif payload:
        output.bytes_to(out, job.payload_of(collection, stored, raw=raw))
    elif record:
        output.bytes_to(out, job.record_text(collection, stored))
    else:
        _summary(collection, stored, len(captures), as_json=state.json)


def _list(captures: list[Stored], *, as_json: bool) -> None:
    if as_json:
        output.dump([as_json_row(one) for one in captures])
        return
    columns = ("time", "status", "mime", "bytes", "digest", "run", "record", "url")
    output.table(columns, (_row(one) for one in captures))


def _row(one: Stored) -> tuple[object, ...]:
    line = one.line
    digest = (line.digest or "").removeprefix("sha256:")[:12]
    cells = (line.date, line.status, line.mime, line.length, digest)
    return (*cells, one.run_id, line.record.removeprefix("urn:uuid:"), line.url)


def as_json_row(one: Stored) -> dict[str, object]:
    """Return a capture as JSON-able values."""
    line = one.line
    return {
        "url": line.url,
        "captured_at": line.date,
        "status": line.status,
        "mime": line.mime,
        "payload_digest": line.digest,
        "portal": one.portal,
        "run_id": one.run_id,
        "record_id": line.record,
        "page_id": line.page,
        "payload_record": line.ref,
        "warc": line.filename,
        "offset": line.offset,
        "length": line.length,
    }


def _summary(
    collection: Collection, stored: Stored, count: int, *, as_json: bool
) -> None:
    from crawler.jobs.looking.show import head_bytes

    head = head_bytes(collection, stored).decode("utf-8", "replace")
    values = as_json_row(stored)
    if as_json:
        output.dump(values | {"captures": count, "head": head.splitlines()})
        return
    for name, value in values.items():
        if value is not None:
            output.line(f"{name + ':':<16}{output.clean(str(value))}")
    if count > 1:
        output.line(f"{'captures:':<16}{count}; --list names them, --at chooses one")
    if head:
        output.line("")
        output.write(output.clean(head.replace("\r\n", "\n").rstrip("\n")) + "\n")
