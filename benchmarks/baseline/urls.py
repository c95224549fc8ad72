"""The list in plain Django."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from openai import OpenAI

client = OpenAI()


def thread_list(request: HttpRequest) -> HttpResponse:
    parameters = {name: request.GET[name] for name in ("after", "user", "order") if request.GET.get(name)}
    page = client.beta.chatkit.threads.list(limit=int(request.GET.get("limit", 20)), **parameters)  # type: ignore[arg-type]
    for thread in page.data:
        thread.created = datetime.fromtimestamp(thread.created_at, UTC)  # type: ignore[attr-defined]
    template = "part.html" if request.headers.get("HX-Request") else "page.html"
    return render(request, template, {"page": page, "limits": [20, 50, 100]})


urlpatterns = [path("threads/", thread_list, name="threads")]
