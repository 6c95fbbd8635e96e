/** Before its end a newer token is fetched, at least so long. */
const SPARE_MS = 30_000;
const LEAST_MS = 1_000;
const RETRY_MS = 5_000;

/** @param {number} left milliseconds that a token has @returns {number} after how many to bring a newer one */
const due = (left) => Math.max(LEAST_MS, Math.min(left * 0.8, Math.max(left - SPARE_MS, left / 2)));

/**
 * Bring newer tokens for as long as the connection lasts.
 *
 * @param {import("./line.js").Line} line
 * @param {number | undefined} expiresInSeconds
 * @param {(ms: number) => Promise<boolean>} pause gives whether the connection is still the same
 * @param {(data: any) => Promise<any>} refresh
 * @param {(patterns: string[]) => void} ended
 */
export async function renew(line, expiresInSeconds, pause, refresh, ended) {
  while (expiresInSeconds !== undefined && line.renewable && (await pause(due(expiresInSeconds * 1000)))) {
    try {
      const token = await line.token();
      if (!(await pause(0))) {
        return;
      }
      const { data } = await refresh({ token });
      ended(data.ended ?? []);
      expiresInSeconds = data.expiresInSeconds;
    } catch {
      // The present token may still be good; if not, the bridge says so and the next connection brings a new one.
      expiresInSeconds = RETRY_MS / 800;
    }
  }
}
