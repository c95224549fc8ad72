// The pages of a conversation that are not loaded yet.

// The address of the next page, or undefined on the last.
export const nextPageUrl = () => document.querySelector("#more a[rel=next]")?.href;

// The address of the first page, where this one begins in the middle; else null.
export const firstPageUrl = () => {
  const earlier = document.querySelector(".earlier");
  if (!earlier?.querySelector("a[rel=prev]")) return null;
  return earlier.querySelector("a:not([rel])").href;
};
