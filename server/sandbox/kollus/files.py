"""Sends a file, or the part of it that a player seeks to."""

import asyncio
import re
from pathlib import Path

from sanic import HTTPResponse
from sanic.response import raw

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def send_file(path: Path, content_type: str, range_header: str | None) -> HTTPResponse:
    """The whole file (200), one byte range (206), or 416. Players ask past the end: that is cut."""
    content = await asyncio.to_thread(path.read_bytes)
    headers = {"accept-ranges": "bytes", "cache-control": "private, no-store"}
    wanted = _RANGE.fullmatch(range_header or "")
    if not wanted or wanted.group() == "bytes=-":
        return raw(content, content_type=content_type, headers=headers)
    first, last = _bounds(wanted[1], wanted[2], len(content))
    if first > last:
        return raw(b"", status=416, headers=headers | {"content-range": f"bytes */{len(content)}"})
    headers["content-range"] = f"bytes {first}-{last}/{len(content)}"
    return raw(content[first : last + 1], status=206, content_type=content_type, headers=headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:  # the last so many bytes
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last) if last else size - 1, size - 1)
