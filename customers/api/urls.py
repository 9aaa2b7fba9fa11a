"""Addresses of the customers' API, below /api/v1/."""

from django.urls import path

from customers.api import describing  # noqa: F401 - tells the schema how one signs in
from customers.api.attachments import AttachmentView
from customers.api.brief import BriefView
from customers.api.candidates import AcceptView, CandidatesView, RejectView
from customers.api.consents import ConsentsView, HoldView, ViewsView
from customers.api.customers import CustomersView, CustomerView, LookupView
from customers.api.expectations import (
    CustomerExpectationsView,
    ExpectationsView,
    LineExpectationsView,
    OutcomeView,
)
from customers.api.experience import AnswerTimesView, ChurnView, LeftView, ScoreboardView
from customers.api.exports import ExportView
from customers.api.feedback import AnswerFeedbackView, FeedbackListView, SolveFeedbackView, TellFeedbackView
from customers.api.journey import CustomerJourneyView, JourneyCustomersView, JourneyView
from customers.api.keys import KeysView
from customers.api.merging import LinksView, MergePreviewView, MergeView, SplitView, UndoView
from customers.api.privacy import DossierView, EraseView, ErasurePreviewView, ErasuresView
from customers.api.promises import (
    CustomerPromisesView,
    EndView,
    LinePromisesView,
    MoveView,
    OwnerView,
    PromisesView,
    PromiseView,
    ReopenView,
)
from customers.api.reassigning import (
    AssignView,
    BlockView,
    ReleaseView,
    ShareView,
    UnblockView,
    UndoAssignView,
    UndoReleaseView,
    UnshareView,
)
from customers.api.requests import (
    CustomerRequestsView,
    MergeRequestView,
    ReopenRequestView,
    RequestsView,
    SolveRequestView,
    SplitRequestView,
)
from customers.api.scores import CustomerScoresView, LineScoresView, ScoresView
from customers.api.segments import (
    DatesView,
    SegmentCountView,
    SegmentCustomersView,
    SegmentExportView,
    SegmentsView,
    SegmentView,
)
from customers.api.timelines import ChangesView, NotesView, SearchView, TimelineView
from customers.api.unmasking import ClearView

urlpatterns = [
    path("customers", CustomersView.as_view()),
    path("customers/<str:customer>", CustomerView.as_view()),
    path("customers/<str:customer>/timeline", TimelineView.as_view()),
    path("customers/<str:customer>/export", ExportView.as_view()),
    path("customers/<str:customer>/changes", ChangesView.as_view()),
    path("customers/<str:customer>/brief", BriefView.as_view()),
    path("customers/<str:customer>/notes", NotesView.as_view()),
    path("customers/<str:customer>/dossier", DossierView.as_view()),
    path("customers/<str:customer>/erasure-preview", ErasurePreviewView.as_view()),
    path("customers/<str:customer>/erase", EraseView.as_view()),
    path("erasures", ErasuresView.as_view()),
    path("customers/<str:customer>/links", LinksView.as_view()),
    path("customers/<str:customer>/merge-preview", MergePreviewView.as_view()),
    path("customers/<str:customer>/merge", MergeView.as_view()),
    path("customers/<str:customer>/split", SplitView.as_view()),
    path("customers/<str:customer>/consents", ConsentsView.as_view()),
    path("customers/<str:customer>/hold", HoldView.as_view()),
    path("customers/<str:customer>/views", ViewsView.as_view()),
    path("customers/<str:customer>/scores", CustomerScoresView.as_view()),
    path("interactions/<uuid:line>/scores", LineScoresView.as_view()),
    path("scores", ScoresView.as_view()),
    path("experience/scores", ScoreboardView.as_view()),
    path("experience/churn", ChurnView.as_view()),
    path("experience/churn/customers", LeftView.as_view()),
    path("experience/answers", AnswerTimesView.as_view()),
    path("segments", SegmentsView.as_view()),
    path("segments/count", SegmentCountView.as_view()),
    path("segments/<int:segment>", SegmentView.as_view()),
    path("segments/<int:segment>/customers", SegmentCustomersView.as_view()),
    path("segments/<int:segment>/export", SegmentExportView.as_view()),
    path("dates", DatesView.as_view()),
    path("customers/<str:customer>/requests", CustomerRequestsView.as_view()),
    path("customers/<str:customer>/journey", CustomerJourneyView.as_view()),
    path("experience/journey", JourneyView.as_view()),
    path("experience/journey/customers", JourneyCustomersView.as_view()),
    path("requests", RequestsView.as_view()),
    path("requests/<uuid:matter>/solve", SolveRequestView.as_view()),
    path("requests/<uuid:matter>/reopen", ReopenRequestView.as_view()),
    path("requests/<uuid:matter>/merge", MergeRequestView.as_view()),
    path("requests/<uuid:matter>/split", SplitRequestView.as_view()),
    path("feedback", FeedbackListView.as_view()),
    path("feedback/<uuid:feedback>/answer", AnswerFeedbackView.as_view()),
    path("feedback/<uuid:feedback>/solve", SolveFeedbackView.as_view()),
    path("feedback/<uuid:feedback>/tell", TellFeedbackView.as_view()),
    path("links/<str:link>/undo", UndoView.as_view()),
    path("candidates", CandidatesView.as_view()),
    path("candidates/<str:candidate>/accept", AcceptView.as_view()),
    path("candidates/<str:candidate>/reject", RejectView.as_view()),
    path("interactions/<uuid:line>/assign", AssignView.as_view()),
    path("interactions/<uuid:line>/assign/undo", UndoAssignView.as_view()),
    path("identities/<str:identity>/share", ShareView.as_view()),
    path("identities/<str:identity>/unshare", UnshareView.as_view()),
    path("identities/<str:identity>/block", BlockView.as_view()),
    path("identities/<str:identity>/unblock", UnblockView.as_view()),
    path("identities/<str:identity>/release", ReleaseView.as_view()),
    path("identities/<str:identity>/release/undo", UndoReleaseView.as_view()),
    path("promises", PromisesView.as_view()),
    path("promises/<uuid:promise>", PromiseView.as_view()),
    path("promises/<uuid:promise>/close", EndView.as_view()),
    path("promises/<uuid:promise>/reopen", ReopenView.as_view()),
    path("promises/<uuid:promise>/move", MoveView.as_view()),
    path("promises/<uuid:promise>/assign", OwnerView.as_view()),
    path("customers/<str:customer>/promises", CustomerPromisesView.as_view()),
    path("interactions/<uuid:line>/promises", LinePromisesView.as_view()),
    path("expectations", ExpectationsView.as_view()),
    path("expectations/<uuid:expectation>/outcome", OutcomeView.as_view()),
    path("customers/<str:customer>/expectations", CustomerExpectationsView.as_view()),
    path("interactions/<uuid:line>/expectations", LineExpectationsView.as_view()),
    path("customers/<str:customer>/clear", ClearView.as_view()),
    path("lookup", LookupView.as_view()),
    path("search", SearchView.as_view()),
    path("attachments/<uuid:attachment>", AttachmentView.as_view()),
    path("keys", KeysView.as_view()),
]
