/** A page that no host listed. It tries what it can, and shows what comes of it: nothing. */

const ATTEMPTS = [
  ["Bridge/Gateway/Hello", null],
  ["Bridge/Subscription/Subscribe", { patterns: ["*"] }],
  ["Cisco/InboundCall/SetMakeCall", { toAddress: "5070" }],
];

let asked = 0;
let heard = 0;

addEventListener("message", ({ source }) => {
  if (source === parent) {
    heard += 1;
    const shown = document.getElementById("heard");
    shown.textContent = `${heard} messages`;
    shown.className = "";
  }
});

function attempt() {
  for (const [address, data] of ATTEMPTS) {
    const [channel, topic, subtopic] = address.split("/");
    parent.postMessage({ channel, topic, subtopic, data, id: crypto.randomUUID() }, "*");
  }
  asked += 1;
  const often = asked === 1 ? "once" : `${asked} times`;
  document.getElementById("asked").textContent = `to listen and to make a call, ${often}`;
}

document.getElementById("try").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt();
});

attempt();
