"""HTTP/1.x messages as raw bytes: where the head ends, how the body is delimited.

Pure, and as tolerant as browsers are.  Nothing here changes a byte of what it reads;
the wire hook, the recording proxy, the archive's writer and its reader all read
through this one package, so that live and replayed responses cannot differ.

Source: RFC 9112 sections 2 to 7.
"""

from crawler.http.body import (
    LINE_BYTES,
    BodyMeter,
    Dechunker,
    Framing,
    content_length,
    framing,
    is_chunked,
)
from crawler.http.head import (
    HEAD_BYTES,
    Head,
    RequestHead,
    age_of,
    final_head_offset,
    head_end,
    header,
    header_all,
    parse_head,
    parse_request_head,
)
from crawler.http.incoming import final_offset, is_no_status, keeps_alive
from crawler.http.response import (
    is_whole,
    message_end,
    payload,
    payload_chunks,
    read_head,
    response_from_block,
)

__all__ = [
    "HEAD_BYTES",
    "LINE_BYTES",
    "BodyMeter",
    "Dechunker",
    "Framing",
    "Head",
    "RequestHead",
    "age_of",
    "content_length",
    "final_head_offset",
    "final_offset",
    "framing",
    "head_end",
    "header",
    "header_all",
    "is_chunked",
    "is_no_status",
    "is_whole",
    "keeps_alive",
    "message_end",
    "parse_head",
    "parse_request_head",
    "payload",
    "payload_chunks",
    "read_head",
    "response_from_block",
]
