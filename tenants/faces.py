"""Pictures of the people of a team: visitors see them beside what the person writes."""

from __future__ import annotations

from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from netvexa.lib.errors import NotFound
from netvexa.lib.ids import short_id
from netvexa.lib.pictures import check_picture
from tenants.addresses import workspace_address
from tenants.context import current_workspace
from tenants.models import Membership, User


def set_face(user: User, upload: UploadedFile[bytes]) -> None:
    """Give the person another picture; the row is not saved. Raises PictureRefused."""
    ending = check_picture(upload)
    upload.seek(0)
    user.avatar.save(f"{short_id(20)}.{ending}", ContentFile(upload.read()), save=False)


def remove_face(user: User) -> None:
    """Take the picture away; the row is not saved."""
    if user.avatar:
        user.avatar.delete(save=False)


def face_address(user: User) -> str:
    """Where visitors of the current workspace see the person's picture, if there is one; else empty.

    The last part changes with the picture, so browsers may keep it.
    """
    if not user.avatar:
        return ""
    version = str(user.avatar.name).rpartition("/")[2].partition(".")[0]
    return workspace_address(current_workspace(), f"/widget/face/{user.pk}/{version}")


def face_of(user_id: UUID, version: str) -> bytes:
    """The picture of a member of the current workspace. Raises NotFound."""
    nobody = NotFound("There is no such picture.")
    members = Membership.objects.filter(workspace=current_workspace(), user_id=user_id)
    row = members.with_people().first()
    if row is None or not row.user.avatar or f"/{version}." not in f"/{row.user.avatar.name}":
        raise nobody
    try:
        with row.user.avatar.open("rb") as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        raise nobody from None
