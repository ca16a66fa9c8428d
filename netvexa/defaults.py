"""What runs on a default, said out loud: nothing silently turns into a fake."""

from __future__ import annotations

from django.conf import settings


def defaults() -> list[str]:
    """A sentence for each part that is not configured, with the variable that configures it."""
    sentences = []
    if not (settings.OPENAI_API_KEY or settings.ANTHROPIC_API_KEY or settings.GOOGLE_API_KEY):
        sentences.append(
            "No language model key is set: agents answer with the built-in extractive model, which quotes "
            "the knowledge word for word. OPENAI_API_KEY, ANTHROPIC_API_KEY or GOOGLE_API_KEY switch models on."
        )
    if not settings.STRIPE_ENABLED:
        sentences.append("No Stripe key is set: plans are switched by staff in the admin. STRIPE_SECRET_KEY.")
    elif settings.STRIPE_IS_STAND_IN:
        sentences.append("Payments go to a stand-in for Stripe: no money moves. STRIPE_SECRET_KEY.")
    if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        sentences.append(f"E-mail is written to {settings.EMAIL_FILE_PATH} instead of being sent. EMAIL_URL.")
    if not settings.CONFIG.storage_s3_bucket:
        sentences.append(f"Uploads are kept in {settings.MEDIA_ROOT}. STORAGE_S3_BUCKET moves them to S3.")
    return sentences
