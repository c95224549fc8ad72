"""The desk's own URLs. A thread id may hold anything, slashes included, so no path continues after one."""

from django.urls import path, register_converter

from .web.converters import OpaqueIdConverter
from .web.views import archive, audit, columns, conversation, erasure, exports, overview, saved_views, thread_list

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
    path("archive/", archive.archive, name="archive"),
    path("archive/sync/", archive.start, name="archive-sync"),
    path("archive/deletions/", archive.accept, name="archive-accept"),
    path("archive/report/", archive.download, name="archive-report"),
    path("exports/", exports.exports, name="exports"),
    path("exports/list/", exports.export_list, name="export-list"),
    path("exports/user/", exports.export_user, name="export-user"),
    path("exports/<uuid:pk>/", exports.export, name="export"),
    path("exports/<uuid:pk>/file/", exports.export_file, name="export-file"),
    path("exports/<uuid:pk>/delete/", exports.export_delete, name="export-delete"),
    path("overview/", overview.overview, name="overview"),
    path("audit/", audit.audit_log, name="audit"),
    path("audit/file/", audit.download, name="audit-file"),
    path("erase/", erasure.preview, name="erase"),
    path("erase/confirm/", erasure.confirm, name="confirm-erasure"),
    path("erasures/", erasure.erasures, name="erasures"),
    path("erasures/<uuid:pk>/", erasure.erasure, name="erasure"),
    path("erasures/<uuid:pk>/receipt.json", erasure.download, name="erasure-receipt"),
    path("erasures/<uuid:pk>/start/", erasure.start, name="start-erasure"),
]
