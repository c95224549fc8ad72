"""The project's URLs."""

from django.contrib import admin
from django.urls import include, path

from threads.roles import for_every_account
from threads.web.fetch_metadata import linkable

from . import views
from .accounts import account_page, sign_in, sso
from .accounts.throttle import one_at_a_time

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("threads.urls")),
    path("sign-in/", linkable(one_at_a_time(sign_in.SignIn.as_view())), name="sign-in"),
    path("sign-in/demo/", sign_in.demo, name="demo"),
    path("sign-in/sso/", sso.begin, name="sso"),
    path("sign-in/sso/callback/", sso.callback, name="sso-callback"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("account/", account_page.page, name="account"),
    path(
        "account/password/",
        linkable(for_every_account(one_at_a_time(account_page.ChangePassword.as_view()))),
        name="password",
    ),
    path("account/sign-out/", account_page.sign_out_everywhere, name="sign-out-everywhere"),
    # Replaces the admin's own sign-in page.
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "dashboard.views.bad_request"
handler403 = "dashboard.views.forbidden"
handler404 = "dashboard.views.not_found"
handler500 = "dashboard.views.server_error"
