// The pages of a conversation that are not loaded yet.

// The address of the next page, or undefined on the last.
export const nextPageUrl = () => document.querySelector("#more a[rel=next]")?.href;

// The address of the page before, or undefined on the first.
export const previousPageUrl = () => document.querySelector("#earlier a[rel=prev]")?.href;
