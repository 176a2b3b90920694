"""Who is at the other end of a connection on this machine: only we may use our ports.

A password for the proxy would do, too, but a browser that has one stops caching and
asks for things twice: what is recorded would not be what a page asks for.

Source: Linux, sock_diag(7).
"""

from __future__ import annotations

import os
import socket
import struct

_PROTOCOL = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY, _REQUEST = 20, 1
_HEADER = struct.Struct("=IHHII")
_ASKED = struct.Struct("=BBBBI")
_ENDS = struct.Struct("!HH16s16s")
_NO_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_USER_AT = _HEADER.size + 4 + 48 + 12
_USER = struct.Struct("=I")


def is_ours(peer: tuple[str, int], here: tuple[str, int]) -> bool:
    """Tell whether this user made an IPv4 connection; True where nobody says who did.

    Args:
        peer: address and port of who connected, on this machine.
        here: of our end.
    """
    try:
        answer = _ask(peer, here)
    except (AttributeError, OSError):  # no Linux, or none that tells
        return True
    kind = _HEADER.unpack_from(answer)[1]
    if kind != _BY_FAMILY or len(answer) < _USER_AT + _USER.size:
        return True
    return bool(_USER.unpack_from(answer, _USER_AT)[0] == os.getuid())


def _ask(peer: tuple[str, int], here: tuple[str, int]) -> bytes:
    """Ask the kernel for the socket of who connected.

    Raises:
        OSError: it is not told.
        AttributeError: this system has nobody to ask.
    """
    ends = _ENDS.pack(
        peer[1], here[1], socket.inet_aton(peer[0]), socket.inet_aton(here[0])
    )
    asked = _ASKED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    asked += ends + _NO_COOKIE
    size = _HEADER.size + len(asked)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _PROTOCOL) as kernel:
        kernel.setblocking(False)  # noqa: FBT003 - it answers at once or never
        kernel.send(_HEADER.pack(size, _BY_FAMILY, _REQUEST, 0, 0) + asked)
        return kernel.recv(4096)
