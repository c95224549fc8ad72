// Preferences that the server or another page reads. They last a year.
const secure = location.protocol === "https:" ? "; secure" : "";

export const hasCookie = (name, value) => document.cookie.split("; ").includes(`${name}=${value}`);

export const setCookie = (name, value) => {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
};
