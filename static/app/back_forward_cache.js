// Reloads a page that the browser restores: somebody else may be signed in by now.
addEventListener("pageshow", (event) => event.persisted && location.reload());
