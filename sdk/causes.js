/** Why there may never have been a session: browsers do not tell a page, so these are the causes that can apply. */

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|\[f[cde])|\.(local|internal|lan)$/;

/**
 * @param {URL} url of the bridge
 * @param {{origin: string, protocol: string, hostname: string, host: string} | undefined} page its location
 * @returns {string[]}
 */
export function likelyCauses(url, page) {
  const loopback = LOOPBACK.test(url.hostname);
  const causes = [`no bridge runs at ${url.host}, or something in between blocks the way`];
  if (url.protocol === "wss:") {
    causes.push(`the certificate of ${url.host} is not trusted: open https://${url.host}/ to see`);
  }
  if (!page) {
    return causes;
  }
  if (page.protocol === "https:" && url.protocol === "ws:" && !loopback) {
    causes.unshift("mixed content: a page that came over https: may only use wss:");
  }
  if (page.host !== url.host) {
    causes.push(`the bridge does not list this page's origin: BRIDGE_ALLOWED_ORIGINS='["${page.origin}"]'`);
  }
  if ((loopback || PRIVATE.test(url.hostname)) && !LOOPBACK.test(page.hostname) && page.host !== url.host) {
    causes.push("local network access: the browser did not let this page reach a local address; see its site settings");
  }
  return causes;
}
