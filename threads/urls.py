"""Addresses of threads. An id may hold anything, slashes too, so nothing stands behind one."""

from django.urls import path, register_converter

from .converters import OpaqueIdConverter
from .views.conversation import conversation, others, step
from .views.listing import thread_list

register_converter(OpaqueIdConverter, "id")

urlpatterns = [
    path("threads/", thread_list, name="threads"),
    path("threads/<id:thread_id>/", conversation, name="thread"),
    path("others/", others, name="others"),
    path("step/", step, name="step"),
]
