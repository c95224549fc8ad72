"""The desk's own URLs. A thread id may hold anything, slashes included, so no path continues after one."""

from django.urls import path, register_converter

from .web.converters import OpaqueIdConverter
from .web.views.archive import accept, archive, download, start
from .web.views.audit import download as trail_file
from .web.views.audit import trail
from .web.views.conversation import conversation, others, step
from .web.views.erasure import confirm, erasure, erasures, preview
from .web.views.erasure import download as erasure_receipt
from .web.views.erasure import start as start_erasure
from .web.views.exports import export, export_delete, export_file, export_list, export_user, exports
from .web.views.overview import overview
from .web.views.saved_views import delete_view, save_view, share_view
from .web.views.thread_list import live, thread_list, users

register_converter(OpaqueIdConverter, "id")

urlpatterns = [
    path("threads/", thread_list, name="threads"),
    path("threads/<id:thread_id>/", conversation, name="thread"),
    path("users/", users, name="users"),
    path("live/", live, name="live"),
    path("others/", others, name="others"),
    path("views/", save_view, name="save-view"),
    path("views/<int:pk>/delete/", delete_view, name="delete-view"),
    path("views/<int:pk>/share/", share_view, name="share-view"),
    path("step/", step, name="step"),
    path("archive/", archive, name="archive"),
    path("archive/sync/", start, name="archive-sync"),
    path("archive/deletions/", accept, name="archive-accept"),
    path("archive/report/", download, name="archive-report"),
    path("exports/", exports, name="exports"),
    path("exports/list/", export_list, name="export-list"),
    path("exports/user/", export_user, name="export-user"),
    path("exports/<uuid:pk>/", export, name="export"),
    path("exports/<uuid:pk>/file/", export_file, name="export-file"),
    path("exports/<uuid:pk>/delete/", export_delete, name="export-delete"),
    path("overview/", overview, name="overview"),
    path("audit/", trail, name="audit"),
    path("erase/", preview, name="erase"),
    path("erase/confirm/", confirm, name="confirm-erasure"),
    path("erasures/", erasures, name="erasures"),
    path("erasures/<uuid:pk>/", erasure, name="erasure"),
    path("erasures/<uuid:pk>/receipt.json", erasure_receipt, name="erasure-receipt"),
    path("erasures/<uuid:pk>/start/", start_erasure, name="start-erasure"),
    path("audit/file/", trail_file, name="audit-file"),
]
