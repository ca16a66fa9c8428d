"""The API, the same at a workspace's host (/api/v1/) and at the API host (/v1/)."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from agents.api import AgentViewSet
from chat.api import AskView, ConversationViewSet, LeadViewSet, MessagesView
from chat.curated_api import CuratedViewSet
from chat.gap_api import GapViewSet
from chat.privacy_api import ErasePersonView, ExportPersonView
from chat.receipt_api import ReceiptView, ReplayView
from chat.trial_api import ExpectationViewSet, TrialViewSet
from knowledge.api import DocumentViewSet, SourceViewSet
from knowledge.version_api import VersionViewSet
from netvexa.views.reference import NothingView, SchemaView, reference
from netvexa.views.usage import UsageView
from tenants.token_api import RefreshView, RevokeView, TokenView

router = SimpleRouter(use_regex_path=False)
router.register("agents", AgentViewSet)
router.register("sources", SourceViewSet)
router.register("documents", DocumentViewSet)
router.register("versions", VersionViewSet)
router.register("conversations", ConversationViewSet)
router.register("curated-answers", CuratedViewSet)
router.register("gaps", GapViewSet)
router.register("test-questions", ExpectationViewSet)
router.register("test-runs", TrialViewSet)
router.register("leads", LeadViewSet)

app_name = "api"
urlpatterns = [
    path("agents/<uuid:pk>/messages/", AskView.as_view(), name="ask"),
    path("conversations/<uuid:pk>/messages/", MessagesView.as_view(), name="messages"),
    path("messages/<uuid:pk>/receipt/", ReceiptView.as_view(), name="receipt"),
    path("messages/<uuid:pk>/replay/", ReplayView.as_view(), name="replay"),
    path("auth/token/", TokenView.as_view(), name="token"),
    path("auth/refresh/", RefreshView.as_view(), name="refresh"),
    path("auth/revoke/", RevokeView.as_view(), name="revoke"),
    path("people/export/", ExportPersonView.as_view(), name="people_export"),
    path("people/erase/", ErasePersonView.as_view(), name="people_erase"),
    path("usage/", UsageView.as_view(), name="usage"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", reference, name="reference"),
    path("", include(router.urls)),
    re_path(r"", NothingView.as_view(), name="nothing"),
]
