"""Files in conversations: checked by their bytes, kept under the workspace's key, handed out as attachments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from uuid import UUID

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from agents.models import Agent
from agents.widget import ATTACHMENTS
from chat.models import Attachment, Message
from chat.protocol import AttachmentEntry
from netvexa.lib.errors import AppError, Invalid, NotFound
from netvexa.lib.ids import short_id
from netvexa.lib.pictures import picture_type
from tenants.addresses import workspace_address
from tenants.context import current_workspace

MAX_BYTES = ATTACHMENTS["max_bytes"]
WAITING_MOST = 20  # files of one visitor that hang on no message yet
KEPT_UNSENT = timedelta(days=1)
LINK_LIFETIME = timedelta(hours=2)
_LINK = "chat.attachment"
# What each type's file may be called; another ending gets the first of these added, so that nothing opens
# as something else on the reader's machine.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".log", ".csv", ".md"),
}


class FileTooLarge(AppError):
    """More bytes than an attachment may have."""

    code = "too_large"
    status = 413
    default_detail = f"This file is too large: at most {MAX_BYTES // (1024 * 1024)} MB."


class TypeRefused(AppError):
    """A file of a kind that is not passed on."""

    code = "type_refused"
    status = 415
    default_detail = "This kind of file cannot be sent. Pictures, PDF and plain text can."


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A checked file that is not stored yet."""

    name: str
    media_type: str
    data: bytes


def check_file(given: UploadedFile[bytes]) -> Upload:
    """The file, with the type that its bytes show. Raises FileTooLarge, TypeRefused, Invalid."""
    if (given.size or 0) > MAX_BYTES:
        raise FileTooLarge
    data = given.read()
    if not data:
        raise Invalid("This file is empty.")
    media_type = _type_of(data)
    return Upload(name=_safe_name(given.name or "file", media_type), media_type=media_type, data=data)


def _type_of(data: bytes) -> str:
    if (picture := picture_type(data[:16])) is not None:
        return picture
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise TypeRefused from None
    if re.search(r"[\x00-\x08\x0e-\x1f]", text) or text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise TypeRefused  # binary after all, or a page or a drawing that could run script
    return "text/plain"


def _safe_name(name: str, media_type: str) -> str:
    base = re.sub(
        r'[\x00-\x1f\x7f"/\\:*?<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+', "_", PurePath(name).name
    )
    base, endings = base.strip(" .")[-100:] or "file", _ENDINGS[media_type]
    return base if base.lower().endswith(endings) else base + endings[0]


def folder() -> str:
    """Where this workspace's attachments stand in the storage."""
    return f"workspaces/{current_workspace().key}/chat"


def stored_bytes() -> int:
    """What the attachments of this workspace take up."""
    return int(Attachment.objects.aggregate(bytes=Sum("size"))["bytes"] or 0)


def add_of_visitor(agent: Agent, visitor_id: UUID, upload: Upload) -> Attachment:
    """Keep a visitor's file until the message that it belongs to. Raises Invalid."""
    if Attachment.objects.waiting(visitor_id, agent).count() >= WAITING_MOST:
        raise Invalid("Please send the files that you have added first.")
    return _store(Attachment(agent=agent, visitor_id=visitor_id), upload)


def add_to_message(message: Message, upload: Upload) -> Attachment:
    """A file that a person of the team sends."""
    conversation = message.conversation
    row = Attachment(agent_id=conversation.agent_id, conversation=conversation, message=message)
    return _store(row, upload)


def _store(row: Attachment, upload: Upload) -> Attachment:
    """The stored name is random: what people call their files says nothing about paths on our disks."""
    row.name, row.media_type, row.size = upload.name, upload.media_type, len(upload.data)
    row.file.name = default_storage.save(f"{folder()}/{short_id(20)}", ContentFile(upload.data))
    row.save()
    return row


def send_with(message: Message, ids: Sequence[UUID], *, agent: Agent, visitor_id: UUID) -> list[Attachment]:
    """Hang what the visitor uploaded on a message of theirs. Raises NotFound for anything else."""
    if not ids:
        return []
    rows = list(Attachment.objects.waiting(visitor_id, agent).filter(pk__in=ids))
    if len(rows) != len(ids):
        raise NotFound("A file of this message is not there any more. Please add it again.")
    Attachment.objects.filter(pk__in=ids).update(message=message, conversation_id=message.conversation_id)
    return rows


# Links


def entry_of(attachment: Attachment) -> AttachmentEntry:
    """The attachment as a client is told of it, with a fresh link."""
    return {
        "id": str(attachment.pk),
        "name": attachment.name,
        "type": attachment.media_type,
        "size": attachment.size,
        "url": workspace_address(current_workspace(), f"/widget/attachment/{_ticket(attachment)}/"),
    }


def entries_by_message(message_ids: Iterable[UUID]) -> dict[UUID, list[AttachmentEntry]]:
    """The attachments of these messages."""
    found: dict[UUID, list[AttachmentEntry]] = {}
    for row in Attachment.objects.filter(message_id__in=list(message_ids)):
        if row.message_id is not None:
            found.setdefault(row.message_id, []).append(entry_of(row))
    return found


def _ticket(attachment: Attachment) -> str:
    return signing.dumps([current_workspace().key, attachment.pk.hex], salt=_LINK)


def of_ticket(ticket: str) -> Attachment:
    """The attachment that a link opens, in the workspace it was made for. Raises NotFound."""
    gone = NotFound("This link has expired. Please open the chat again for a new one.")
    try:
        key, attachment_id = signing.loads(ticket, salt=_LINK, max_age=LINK_LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        raise gone from None
    if key != current_workspace().key:
        raise gone
    found = Attachment.objects.filter(pk=UUID(attachment_id)).select_related("agent").first()
    if found is None:
        raise gone
    return found


def as_download(row: Attachment) -> HttpResponse:
    """The file as a download: nothing in it runs, whatever a browser takes it for. Raises NotFound."""
    try:
        with row.file.open("rb") as stored:
            response = HttpResponse(stored.read(), content_type=row.media_type)
    except FileNotFoundError as error:
        raise NotFound("This file is not there any more.") from error
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=row.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=600"
    response["Referrer-Policy"] = "no-referrer"
    return response


# Taking away


def delete_files(rows: Iterable[Attachment]) -> None:
    """Delete the files of rows that this transaction takes away, once it is committed."""
    for name in [str(row.file.name) for row in rows]:
        transaction.on_commit(partial(default_storage.delete, name))


def clear_unsent() -> int:
    """Take away what visitors uploaded and never sent; how many."""
    old = Attachment.objects.filter(message=None, created_at__lt=timezone.now() - KEPT_UNSENT)
    with transaction.atomic():
        rows = list(old.select_for_update(skip_locked=True))
        delete_files(rows)
        Attachment.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def clear_files(storage: Storage = default_storage) -> int:
    """Delete files whose rows are gone, such as those of a deleted agent; how many.

    A file without a row may be one that is just being stored, so young ones stay.
    """
    try:
        names = storage.listdir(folder())[1]
    except FileNotFoundError:
        return 0
    known = set(Attachment.objects.values_list("file", flat=True))
    strays = [path for name in names if (path := f"{folder()}/{name}") not in known]
    old = [path for path in strays if storage.get_modified_time(path) < timezone.now() - timedelta(hours=1)]
    for path in old:
        storage.delete(path)
    return len(old)
