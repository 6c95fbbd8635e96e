/** @param {any} env @param {any} workerUrl */
export function share(env, workerUrl) {
  console.info("workspace-bridge: no shared socket here, this page has its own", workerUrl ?? "", typeof env);
}
