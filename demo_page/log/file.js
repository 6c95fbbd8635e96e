/** The log as a file: JSON Lines, one message a line. */

/** @typedef {import("../bus/message.js").Message} Message */

const MAX_BYTES = 64_000_000;

/**
 * @param {string} text
 * @param {string} name of the file
 */
export function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/jsonl" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // not at once: the browser may still be reading it
}

/**
 * @param {File} file
 * @returns {Promise<{messages: Message[], faults: number[]}>} what it holds, and the numbers of the lines that are no
 *   messages
 * @throws {Error} where the file is too large, or cannot be read
 */
export async function open(file) {
  if (file.size > MAX_BYTES) {
    throw new Error(`it has ${Math.round(file.size / 1e6)} MB, the log takes up to ${MAX_BYTES / 1e6}`);
  }
  /** @type {Message[]} */
  const messages = [];
  /** @type {number[]} */
  const faults = [];
  (await file.text()).split(/\r?\n/).forEach((line, index) => {
    const message = read(line);
    if (message) {
      messages.push(message);
    } else if (line.trim()) {
      faults.push(index + 1);
    }
  });
  return { messages, faults };
}

/**
 * @param {string} line
 * @returns {Message | undefined}
 */
function read(line) {
  try {
    const { channel, topic, subtopic, data = null, ...rest } = JSON.parse(line);
    const isMessage = [channel, topic, subtopic].every((part) => typeof part === "string");
    return isMessage ? { channel, topic, subtopic, data, ...rest } : undefined;
  } catch {
    return undefined;
  }
}
