"""Addresses below /threads/."""

from django.urls import path

from .views.listing import thread_list

urlpatterns = [
    path("", thread_list, name="threads"),
]
