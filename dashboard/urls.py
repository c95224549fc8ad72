"""Every address of the dashboard."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("threads.urls")),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-in/demo/", views.demo, name="demo"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    # The admin has a sign-in page of its own; one is enough.
    path("admin/login/", views.admin_sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "dashboard.views.bad_request"
handler403 = "dashboard.views.forbidden"
handler404 = "dashboard.views.not_found"
handler500 = "dashboard.views.server_error"
