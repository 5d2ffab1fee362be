"""Addresses of questions to others: approvals, links to stores."""

from django.urls import path

from tickets.api import asking

urlpatterns = [
    path("api/v1/approvals", asking.MyApprovalsView.as_view(), name="api_approvals"),
    path("api/v1/approvals/<int:approval_id>", asking.ApprovalView.as_view(), name="api_approval"),
    path("api/v1/approvals/<int:approval_id>/decision", asking.ApprovalDecisionView.as_view(), name="api_approval_decision"),
    path("api/v1/approvals/<int:approval_id>/withdraw", asking.ApprovalWithdrawView.as_view(), name="api_approval_withdraw"),
    path("api/v1/cases/<int:case_id>/approvals", asking.CaseApprovalsView.as_view(), name="api_case_approvals"),
    path("api/v1/cases/<int:case_id>/store-links", asking.StoreLinksView.as_view(), name="api_case_store_links"),
]
