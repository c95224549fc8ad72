"""The desk's own URLs. A thread id may hold anything, slashes included, so no path continues after one."""

from django.urls import path, register_converter

from .web.converters import OpaqueIdConverter
from .web.moved import moved
from .web.views import audit, columns, conversation, erasure, exports, reports, saved_views, sync, thread_list

register_converter(OpaqueIdConverter, "id")

urlpatterns = [
    path("threads/", thread_list.thread_list, name="threads"),
    path("threads/<id:thread_id>/", conversation.conversation, name="thread"),
    path("users/", thread_list.users, name="users"),
    path("columns/", columns.choose_columns, name="columns"),
    path("live/", thread_list.live, name="live"),
    path("others/", conversation.others, name="others"),
    path("views/", saved_views.save_view, name="save-view"),
    path("views/<int:pk>/delete/", saved_views.delete_view, name="delete-view"),
    path("views/<int:pk>/share/", saved_views.share_view, name="share-view"),
    path("step/", conversation.step, name="step"),
    path("sync/", sync.sync, name="sync"),
    path("sync/start/", sync.start, name="start-sync"),
    path("sync/deletions/", sync.accept, name="accept-deletions"),
    path("sync/report/", sync.download, name="sync-report"),
    path("exports/", exports.exports, name="exports"),
    path("exports/list/", exports.export_list, name="export-list"),
    path("exports/user/", exports.export_user, name="export-user"),
    path("exports/<uuid:pk>/", exports.export, name="export"),
    path("exports/<uuid:pk>/file/", exports.export_file, name="export-file"),
    path("exports/<uuid:pk>/delete/", exports.export_delete, name="export-delete"),
    path("reports/", reports.reports, name="reports"),
    path("audit/", audit.audit_log, name="audit"),
    path("audit/file/", audit.download, name="audit-file"),
    path("erase/", erasure.preview, name="erase"),
    path("erase/confirm/", erasure.confirm, name="confirm-erasure"),
    path("erasures/", erasure.erasures, name="erasures"),
    path("erasures/<uuid:pk>/", erasure.erasure, name="erasure"),
    path("erasures/<uuid:pk>/receipt.json", erasure.download, name="erasure-receipt"),
    path("erasures/<uuid:pk>/start/", erasure.start, name="start-erasure"),
    # Addresses of earlier versions.
    path("archive/", moved(sync.sync, "sync")),
    path("archive/sync/", moved(sync.start, "start-sync")),
    path("archive/deletions/", moved(sync.accept, "accept-deletions")),
    path("archive/report/", moved(sync.download, "sync-report")),
    path("overview/", moved(reports.reports, "reports")),
]
