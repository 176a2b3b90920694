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
    from crawler.jobs.show import Stored


def items(
    ctx: typer.Context,
    portals: Portals = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Captured at this time or later."),
    ] = None,
    kind: Annotated[
        Literal["article", "flash", "file"] | None,
        typer.Option(help="Only items of this kind."),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="Only this run's.")
    ] = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="Only the newest revision of each id.")
    ] = False,
    form: Annotated[  # noqa: ARG001 - the one there is yet
        Literal["jsonl"], typer.Option("--format", help="One JSON object a line.")
    ] = "jsonl",
    out: OutOption = None,
) -> None:
    """Write the stored items, one JSON object a line, as they are stored."""
    from crawler.jobs.items import Wanted, as_line, newest, stored_items

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
    url: Annotated[str, typer.Argument(help="A captured URL.")],
    *,
    portal: Annotated[
        str | None, typer.Option("-p", "--portal", help="Look in this one alone.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="All captures of the URL, oldest first.")
    ] = False,
    at: AtOption = None,
    headers: Annotated[
        bool, typer.Option("--headers", help="Status line and headers as they came.")
    ] = False,
    payload: Annotated[
        bool, typer.Option("--payload", help="The body, content-coding undone.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="With --payload: content-coding kept.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="The whole WARC record, uncompressed.")
    ] = False,
    out: OutOption = None,
) -> None:
    """Show a capture of a URL: the one nearest to a time, else the newest."""
    from crawler.jobs import show as job

    state = state_of(ctx)
    modes = [listed, headers, payload, record]
    if sum(modes) > 1:
        raise UsageError("give one of --list, --headers, --payload and --record")
    collection = state.collection()
    names = state.stored_names([portal] if portal else None)
    captures = job.captures_of(collection, names, url)
    if listed:
        _list(captures, as_json=state.json)
        return
    stored = job.nearest_at(captures, moment(at, "--at"))
    if headers:
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
    from crawler.jobs.show import head_bytes

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
