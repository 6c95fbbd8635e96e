/** As whom, and at which workspace, this page visits the bridge: what its URL says, and a token beside it. */

const TOKEN = "workspace-bridge token";
const APP = "demo-page";

const asked = new URLSearchParams(location.search);

/** Empty where the URL names none: the bridge then chooses. */
export const workspace = asked.get("workspace") ?? "";

export const app = asked.get("app") || APP;

/**
 * The token lives as long as its tab, and never in a URL, which ends up in histories and logs.
 *
 * @returns {string} empty where there is none
 */
export function token() {
  try {
    return sessionStorage.getItem(TOKEN) ?? "";
  } catch {
    return ""; // the browser keeps nothing for this page
  }
}

/** @param {string} text empty to forget it */
export function keepToken(text) {
  if (text) {
    sessionStorage.setItem(TOKEN, text);
  } else {
    sessionStorage.removeItem(TOKEN);
  }
}
