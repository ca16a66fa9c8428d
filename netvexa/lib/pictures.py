"""What kind of picture some bytes are: their name and the browser's word are not asked."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile

from netvexa.lib.errors import Invalid

AVATAR_MAX_BYTES = 1024 * 1024
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


def picture_type(head: bytes) -> str | None:
    """The media type of a picture that browsers show and never run, by its first 12 bytes; None for others."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)


class PictureRefused(Invalid):
    """An avatar that is no picture, or too large."""

    code = "picture_refused"
    default_detail = "Use a PNG, JPEG, GIF or WebP picture of at most 1 MB."


def check_picture(upload: UploadedFile[bytes]) -> str:
    """The format of an uploaded avatar, as a file's ending. Raises PictureRefused."""
    if not 0 < (upload.size or 0) <= AVATAR_MAX_BYTES:
        raise PictureRefused
    upload.seek(0)
    kind = picture_type(upload.read(16))
    if kind is None:
        raise PictureRefused
    return ENDINGS[kind]
