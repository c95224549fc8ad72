"""Addresses of threads. An id may hold anything, slashes too, so nothing stands behind one."""

from django.urls import path

from .views.conversation import conversation, others, step
from .views.listing import thread_list

urlpatterns = [
    path("threads/", thread_list, name="threads"),
    path("threads/<path:thread_id>/", conversation, name="thread"),
    path("others/", others, name="others"),
    path("step/", step, name="step"),
]
